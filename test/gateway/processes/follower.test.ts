import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { writeControl } from '../../../src/config/control.ts';
import { readEnvironment } from '../../../src/config/env.ts';
import { createHostFactory } from '../../../src/config/hosts.ts';
import { readLastGood } from '../../../src/config/last-good.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import type { Row } from '../../../src/core/oracle.ts';
import { EMPTY_STATE, type State } from '../../../src/core/state.ts';
import { createFollower, type Follower } from '../../../src/gateway/processes/follower.ts';
import { gates } from '../../../src/oracle/gates/index.ts';
import { plugins } from '../../../src/plugins/index.ts';
import { providers } from '../../../src/providers/index.ts';
import { until } from '../../kit/until.ts';
import { createHandClock } from '../hand-clock.ts';
import { createMemoryBus } from '../memory-bus.ts';

const GATEWAY = `version: 1
providers: { one: { use: openai, network: private, base_url: 'http://127.0.0.1:9/v1' } }
targets: { mini: { provider: one, model: mini } }
agents: { helper: { targets: [mini], params: { temperature: 0.5 } } }
`;
const ORACLE = `version: 1
bounds: { /agents/*/params/temperature: { min: 0, max: 1 } }
`;

const row: Row = {
  seq: 1,
  id: 'mut_1',
  rollback_key: 'rollback_1',
  type: 'PARAM_SET',
  agent: 'helper',
  state: 'applied',
  touches: ['/agents/helper/params/temperature'],
  before: { '/agents/helper/params/temperature': 0.5 },
  patch: { agents: { helper: { params: { temperature: 0.9 } } } },
};
const applied: State = { ...EMPTY_STATE, epoch: 3, rows: [row] };

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function world(variables: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'hive-follower-'));
  cleanUp.push(() => rm(dir, { recursive: true }));
  const data_dir = join(dir, 'data');
  const policies = join(dir, 'policies');
  await mkdir(data_dir);
  await mkdir(policies);
  const write = async (name: string, text: string) => {
    await writeFile(join(policies, `${name}.new`), text);
    await rename(join(policies, `${name}.new`), join(policies, name));
  };
  await write('gateway.yaml', GATEWAY);
  await write('oracle_policies.yaml', ORACLE);
  const { clock, after, advance } = createHandClock();
  const bus = createMemoryBus();
  const metrics = createMetrics();
  const frozen: boolean[] = [];
  const environment = readEnvironment({
    HIVE_POLICIES: policies,
    HIVE_DATA: data_dir,
    ...variables,
  });
  const start = (): Follower => {
    const follower = createFollower({
      environment,
      plugins,
      providers,
      gates: [...gates.keys()],
      hosts: createHostFactory({ clock, engineUrl: () => 'http://127.0.0.1:1' }),
      data_dir,
      clock,
      bus,
      log: silentLog,
      metrics,
      permits: { setFrozen: (value) => frozen.push(value) },
      after,
    });
    cleanUp.push(() => follower.close());
    return follower;
  };
  const swaps = () => bus.records.filter((record) => record.type === 'policy.swapped');
  return { start, write, swaps, data_dir, metrics, frozen, bus, advance };
}

const temperature = (follower: Follower): unknown =>
  follower.current.snapshot.policy.agents.helper?.params.temperature;

describe('createFollower at the start', () => {
  test('createFollower serves the YAML and journals what it serves', async () => {
    const { start, swaps } = await world();
    const follower = start();
    await follower.journalled();
    expect(temperature(follower)).toBe(0.5);
    expect(swaps()).toMatchObject([
      { epoch: 0, version: follower.current.snapshot.version, superseded: [] },
    ]);
  });

  test('createFollower refuses a YAML that does not load, with its place', async () => {
    const { start, write } = await world();
    await write('gateway.yaml', GATEWAY.replace('helper', 'helper!'));
    expect(start).toThrow(/^gateway\.yaml:4:\d+ agents/);
  });

  test('one of several processes starts by what the others serve, and says why', async () => {
    const { start, write } = await world({ HIVE_WORKERS: '2' });
    const served = start().current.snapshot.version;
    await write('gateway.yaml', GATEWAY.replace('targets: [mini]', 'targets: [mimi]'));
    const next = start();
    expect(next.current.snapshot.version).toBe(served);
    expect(next.policyError()).toMatch(/^gateway\.yaml:4:\d+ agents\.helper\.targets/);
    await write('gateway.yaml', GATEWAY);
    await until(() => next.policyError() === null, { what: 'the correction' });
  });

  test('createFollower refuses what does not load at a start, whatever was served', async () => {
    const { start, write } = await world();
    await start().close();
    await write('gateway.yaml', GATEWAY.replace('targets: [mini]', 'targets: [mimi]'));
    expect(start).toThrow(/^gateway\.yaml:4:\d+ agents/);
  });

  test('createFollower keeps the worker’s rows over a restart without a worker', async () => {
    const { start, swaps } = await world();
    const before = start();
    before.receive(applied);
    await before.close();
    const after = start();
    expect(temperature(after)).toBe(0.9);
    expect(after.current.snapshot.version).toBe(before.current.snapshot.version);
    await after.journalled();
    expect(swaps().map(({ epoch }) => epoch)).toEqual([0, 3, 3]);
  });

  test('createFollower starts without rows where last-good.json is damaged', async () => {
    const { start, data_dir } = await world();
    const before = start();
    before.receive(applied);
    await before.close();
    const path = join(data_dir, 'last-good.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('0.9', '0.8'));
    expect(temperature(start())).toBe(0.5);
  });

  test('createFollower serves no canary where feedback is switched off', async () => {
    const { start, frozen } = await world({ FEEDBACK_LOOP_ENABLED: 'false' });
    start();
    expect(frozen).toEqual([true]);
  });
});

describe('a state of the worker', () => {
  test('a state is saved, served and journalled, once', async () => {
    const { start, swaps, data_dir } = await world();
    const follower = start();
    const first = follower.current.snapshot.version;
    follower.receive(applied);
    expect(temperature(follower)).toBe(0.9);
    expect(readLastGood(data_dir)?.state).toEqual(applied);
    follower.receive(structuredClone(applied));
    follower.receive({ ...EMPTY_STATE, epoch: 2 });
    expect(temperature(follower)).toBe(0.9);
    follower.receive({ ...EMPTY_STATE, epoch: 4 });
    expect(follower.current.snapshot.version).toBe(first);
    await follower.journalled();
    expect(swaps().map(({ epoch }) => epoch)).toEqual([0, 3, 4]);
  });

  test('a state that does not compile leaves the old policy serving, and says why', async () => {
    const { start, data_dir } = await world();
    const follower = start();
    follower.receive(applied);
    follower.receive({ ...applied, epoch: 4, rows: null } as unknown as State);
    expect(temperature(follower)).toBe(0.9);
    expect(follower.policyError()).toContain('the state of epoch 4 does not compile');
    expect(readLastGood(data_dir)?.state.epoch).toBe(3);
    follower.receive({ ...EMPTY_STATE, epoch: 5 });
    expect(temperature(follower)).toBe(0.5);
    expect(follower.policyError()).toBeNull();
  });

  test('a state is served though the disk refuses it, and saved when it can be', async () => {
    const { start, data_dir, advance } = await world();
    const follower = start();
    const path = join(data_dir, 'last-good.json');
    await mkdir(join(path, 'in the way'), { recursive: true });
    follower.receive(applied);
    expect(temperature(follower)).toBe(0.9);
    await rm(path, { recursive: true });
    advance(1000);
    expect(readLastGood(data_dir)?.state.epoch).toBe(3);
  });

  test('a swap that the journal refuses is served all the same', async () => {
    const { start, bus, swaps } = await world();
    const follower = start();
    await follower.journalled();
    bus.refuse('not_ready');
    follower.receive(applied);
    await follower.journalled();
    bus.refuse(null);
    follower.receive({ ...applied, epoch: 4 });
    await follower.journalled();
    expect(swaps().map(({ epoch }) => epoch)).toEqual([0, 4]);
  });
});

describe('an edit of the YAML', () => {
  test('an edit is served under the rows, and wins over a row that it contradicts', async () => {
    const { start, write, swaps } = await world();
    const follower = start();
    follower.receive(applied);
    await write('gateway.yaml', GATEWAY.replace('model: mini', 'model: maxi'));
    await until(() => follower.current.snapshot.targets.get('mini')?.model === 'maxi', {
      what: 'the edit',
    });
    expect(temperature(follower)).toBe(0.9);
    await write('gateway.yaml', GATEWAY.replace('0.5', '0.4'));
    await until(() => temperature(follower) === 0.4, { what: 'the contradiction' });
    await follower.journalled();
    expect(swaps().at(-1)).toMatchObject({ epoch: 3, superseded: ['mut_1'] });
  });

  test('a bad file leaves the old policy serving, says why, and is forgiven', async () => {
    const { start, write, metrics } = await world();
    const follower = start();
    const { version } = follower.current.snapshot;
    await write('gateway.yaml', GATEWAY.replace('targets: [mini]', 'targets: [mimi]'));
    await until(() => follower.policyError(), { what: 'the complaint' });
    expect(follower.policyError()).toMatch(/^gateway\.yaml:4:\d+ agents\.helper\.targets/);
    expect(follower.current.snapshot.version).toBe(version);
    expect(metrics.snapshot().hive_policy_rejected_total?.[0]?.value).toBe(1);
    follower.receive(applied);
    expect(temperature(follower)).toBe(0.9);
    await write('gateway.yaml', GATEWAY);
    await until(() => follower.policyError() === null, { what: 'the correction' });
    expect(temperature(follower)).toBe(0.9);
  });
});

describe('control.json', () => {
  test('control.json takes a row back and freezes within a second, without a worker', async () => {
    const { start, data_dir, frozen } = await world();
    const follower = start();
    const first = follower.current.snapshot.version;
    follower.receive(applied);
    writeControl(data_dir, { frozen: true, withdrawn: ['rollback_1'] });
    await until(() => temperature(follower) === 0.5, { what: 'the brake', deadline_ms: 1000 });
    expect(follower.current.snapshot.version).toBe(first);
    expect(follower.control()).toEqual({ frozen: true, withdrawn: ['rollback_1'] });
    expect(frozen).toEqual([false, true]);
    await follower.close();
    expect(temperature(start())).toBe(0.5);
  });
});
