import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProposals } from '../../../src/oracle/proposals/create-proposals.ts';
import type { Store } from '../../../src/store/open.ts';
import { emptyStore, openTestStore } from '../../kit/store.ts';
import { until } from '../../kit/until.ts';
import { stall, startUpstream } from '../../kit/upstream.ts';
import { createProposalsWorld, policyWith, QUESTIONS } from './proposals-world.ts';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
  await emptyStore(store);
});
afterAll(() => store.close());

test('createProposals stops amid a call to a model that hangs, and awaits its step', async () => {
  expect(createProposals).toBeInstanceOf(Function);
  const upstream = await startUpstream(stall());
  const policy = policyWith({ timeout_ms: 60_000 });
  const { proposals, said } = createProposalsWorld(store, policy, upstream);
  await said('reflect', QUESTIONS.slice(0, 3));
  const ticking = proposals.tick();
  // Who asks while it runs gets the same step.
  expect(proposals.tick()).toBe(ticking);
  await until(() => upstream.calls.length === 1, { what: 'the reflection to be asked for' });
  expect((await proposals.status()).state).toBe('working');
  await proposals.stop();
  await ticking;
  expect(await proposals.list()).toEqual([]);
  expect((await proposals.status()).breaker.failures).toBe(0);
  await upstream.close();
});
