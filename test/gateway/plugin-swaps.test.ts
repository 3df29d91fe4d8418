import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compileSnapshot } from '../../src/config/compile.ts';
import { readEnvironment } from '../../src/config/env.ts';
import { createHostFactory } from '../../src/config/hosts.ts';
import { loadPolicy } from '../../src/config/load.ts';
import type { Snapshot } from '../../src/config/snapshot.ts';
import { createClock } from '../../src/core/clock.ts';
import { EMPTY_CONTROL, EMPTY_STATE } from '../../src/core/state.ts';
import { plugins } from '../../src/plugins/index.ts';
import { providers } from '../../src/providers/index.ts';
import { settingsOf } from '../kit/settings.ts';
import { until } from '../kit/until.ts';
import { answer, by, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';

/** Callers at once, and calls that see each version. */
const CALLERS = 8;
const CALLS_EACH = 6;

const TEXTS = { target: 'left', when: 'call.tokens_in > 1' };
const environment = readEnvironment({ KEY: 'key' });
// One host for all versions, as in the product: what plugins keep outlives a swap.
const host = createHostFactory({
  clock: createClock({ origin_ms: 0, scale: 1 }),
  engineUrl: () => '',
  routes: () => ({ epoch: 1, table: { targets: ['left', 'right'], by: { '': [0.3, 0.7] } } }),
});

let dir: string;
let left: Upstream;
let right: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hive-swaps-'));
  mkdirSync(join(dir, 'prompts'));
  const versions = { 1: { ops: [{ op: 'system.append', text: 'Be brief.' }] } };
  const prompt = { version: 1, name: 'tone', versions, labels: { production: 1 } };
  writeFileSync(join(dir, 'prompts', 'tone.yaml'), stringify(prompt));
  writeFileSync(join(dir, 'oracle_policies.yaml'), 'version: 1\n');
  writeFileSync(join(dir, 'pipeline.yaml'), 'version: 1\n');
  [left, right] = await Promise.all([startUpstream(), startUpstream()]);
  // Every third answer of this one fails a cascade's checks.
  let calls = 0;
  left.script(
    by(() => {
      calls += 1;
      return answer(calls % 3 === 0 ? ' ' : 'an answer of the left');
    }),
  );
  right.script(answer('an answer of the right'));
  gateway = await startGateway(read(entries({})));
});
afterAll(async () => {
  await Promise.all([gateway.close(), left.close(), right.close()]);
  rmSync(dir, { recursive: true, force: true });
});

type Entry = Readonly<Record<string, unknown>> & { readonly use: string };

/** All plugins, with what is said of each. */
function entries(said: Readonly<Record<string, object>>): readonly Entry[] {
  return [...plugins.keys()].map((use) => ({ use, ...said[use] }));
}

/** Writes the policy as a person would, and reads it as the product does. */
function read(list: readonly Entry[], own: Readonly<Record<string, unknown>> = {}): Snapshot {
  const provider = (url: string) => ({
    use: 'vllm',
    base_url: url,
    network: 'private',
    adapters: ['upper'],
  });
  const price = { input_usd: 1, output_usd: 2 };
  const agent = { targets: ['left', 'right'], prompt: 'tone', adapter: 'upper', plugins: own };
  const file = {
    version: 1,
    providers: { left: provider(left.url), right: provider(right.url) },
    targets: {
      left: { provider: 'left', model: 'one', price },
      right: { provider: 'right', model: 'two', price: { ...price, input_usd: 3 } },
    },
    agents: { default: agent },
    plugins: list,
  };
  writeFileSync(join(dir, 'gateway.yaml'), stringify(file));
  const loaded = loadPolicy({ dir, environment, providers, plugins });
  const given = { loaded, state: EMPTY_STATE, control: EMPTY_CONTROL, environment };
  return compileSnapshot({ ...given, plugins, providers, host });
}

/** Calls again and again until told to stop; each that is not answered whole is a complaint. */
function startLoad() {
  const complaints: string[] = [];
  const counts = { calls: 0 };
  let over = false;
  const callOnce = async (stream: boolean): Promise<void> => {
    const response = await gateway.post(ask('What is this?', stream ? { stream } : {}));
    const text = await response.text();
    counts.calls += 1;
    const whole = stream ? text.endsWith('data: [DONE]\n\n') : text.includes('"finish_reason"');
    if (response.status !== 200 || !whole) complaints.push(`${response.status} ${text}`);
  };
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (!over) await callOnce(caller % 2 === 0);
  });
  const stop = async (): Promise<void> => {
    over = true;
    await Promise.all(callers);
  };
  return { complaints, counts, stop };
}

interface Change {
  readonly name: string;
  readonly list: readonly Entry[];
  readonly own?: Readonly<Record<string, unknown>>;
}

/** Every setting of every plugin, for all agents and for one; and what stands around them. */
function changes(): readonly Change[] {
  const all = [...plugins.values()].flatMap((definition): readonly Change[] => {
    const use = definition.name;
    const settings = settingsOf(definition, TEXTS).flatMap(({ name, options }) => [
      { name: `${use} ${name}`, list: entries({ [use]: { options } }) },
      { name: `${use} ${name} of an agent`, list: entries({}), own: { [use]: options } },
    ]);
    const without = entries({}).filter((entry) => entry.use !== use);
    return [
      ...settings,
      { name: `no ${use}`, list: without },
      { name: `${use} last`, list: [...without, { use }] },
      { name: `${use} must not fail`, list: entries({ [use]: { on_error: 'fail' } }) },
      { name: `${use} with more time`, list: entries({ [use]: { budget_ms: 5000 } }) },
      { name: `${use} under another name`, list: [...without, { use, id: `${use}-2` }] },
    ];
  });
  return [...all, { name: 'no plugins', list: [] }];
}

test('no call fails while any setting of any plugin is swapped under load', async () => {
  const load = startLoad();
  const swapped: string[] = [];
  try {
    for (const { name, list, own } of changes()) {
      const before = load.counts.calls;
      void gateway.current.swap(read(list, own));
      await until(() => load.counts.calls >= before + CALLS_EACH, { what: `calls of ${name}` });
      expect(load.complaints, name).toEqual([]);
      swapped.push(name);
    }
  } finally {
    await load.stop();
  }
  expect(load.complaints).toEqual([]);
  expect(swapped.length).toBeGreaterThan(100);
  const events = gateway.events();
  const failed = events.filter(({ outcome }) => outcome !== 'ok');
  expect(failed).toEqual([]);
  const markers = new Set(events.flatMap((event) => event.markers));
  expect([...markers].filter((marker) => /^plugin:.*:(threw|invalid)$/.test(marker))).toEqual([]);
  // The settings did something: the load went through what they switch on.
  expect([...markers]).toEqual(
    expect.arrayContaining(['prompt:tone@1', 'escalated:model-router:empty']),
  );
  expect(new Set(events.map(({ version }) => version)).size).toBeGreaterThan(80);
}, 60_000);
