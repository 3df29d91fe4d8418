import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PromptSample } from '../../../src/core/prompt/sample.ts';
import { createSampleInbox } from '../../../src/oracle/proposals/sample-inbox.ts';
import type { Store } from '../../../src/store/open.ts';
import { countSamples } from '../../../src/store/prompt-samples.ts';
import { emptyStore, openTestStore } from '../../kit/store.ts';
import { POLICY } from '../kit.ts';
import { policyWith } from './proposals-world.ts';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => emptyStore(store));

const sampleOf = (n: number): PromptSample => ({
  call: `call_${n}`,
  at_ms: 0,
  tenant: 't',
  agent: 'duo',
  unit: `u:${n}`,
  user: null,
  session: null,
  served: 'demo',
  turns: [{ role: 'user', text: 'hi' }],
  answer: 'hello',
});

async function stored(): Promise<number> {
  return (await countSamples(store.db)).reduce((sum, { samples }) => sum + samples, 0);
}

test('a sample inbox stores what has come, up to its bound', async () => {
  const inbox = createSampleInbox(store.db);
  for (let n = 0; n < 700; n += 1) inbox.receive(sampleOf(n));
  await inbox.flush(policyWith());
  expect(await stored()).toBe(500);
  await inbox.flush(policyWith());
  expect(await stored()).toBe(500);
});

test('a sample inbox stores nothing, and deletes all, where the policy keeps none', async () => {
  const inbox = createSampleInbox(store.db);
  inbox.receive(sampleOf(1));
  await inbox.flush(POLICY);
  expect(await stored()).toBe(0);
  inbox.receive(sampleOf(2));
  await inbox.flush(policyWith());
  expect(await stored()).toBe(1);
  await inbox.tend(POLICY, 0);
  expect(await stored()).toBe(0);
});
