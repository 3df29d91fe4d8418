import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { CompiledExperiment } from '../../../src/config/snapshot.ts';
import type { CallEvent } from '../../../src/core/event.ts';
import { inShare } from '../../../src/core/unit.ts';
import { noPermits, type Permits } from '../../../src/gateway/canary/permits.ts';
import { until } from '../../kit/until.ts';
import { answer, stall, startUpstream, status, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makePlan, makeSnapshot, type ResilienceSpec } from '../snapshot.ts';

let base: Upstream;
let trial: Upstream;
let gateway: RunningGateway;
const observed: CallEvent[] = [];

beforeAll(async () => {
  base = await startUpstream(answer('base'));
  trial = await startUpstream(answer('trial'));
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([base.close(), trial.close()]));

/** A canary that answers from another target than the main plan. */
const start = async (
  share: number,
  state: 'canary' | 'paused' = 'canary',
  more: { readonly resilience?: ResilienceSpec; readonly in_flight?: number } = {},
) => {
  const { resilience = {}, in_flight } = more;
  const bound = in_flight === undefined ? {} : { in_flight };
  const spec = {
    version: 'v-main',
    targets: { base: base.url, trial: { url: trial.url, ...bound } },
    agents: { default: { targets: ['base'] } },
    resilience,
  };
  const plan = makePlan('default', 'v-arm', { targets: ['trial'] }, makeSnapshot(spec).targets, []);
  const experiment = { id: 'exp_1', agent: 'default', row: 'mut_1', state, epoch: 1 };
  const experiments: CompiledExperiment[] = [{ experiment, plan }];
  const permits: Permits = {
    ...noPermits,
    shareOf: () => share,
    observeCall: (event) => void observed.push(event),
  };
  gateway = await startGateway(makeSnapshot({ ...spec, experiments }), { permits });
};

test('a call is served by the arm that its unit falls into, and says so', async () => {
  await start(0.5);
  observed.length = 0;
  const arms = new Set<string>();
  for (let user = 0; user < 12; user += 1) {
    const response = await gateway.post(ask(), { 'x-user-id': `user-${user}` });
    const event = await gateway.event(user + 1);
    const arm = inShare('exp_1', event.unit, 0.5) ? 'canary' : 'control';
    arms.add(arm);
    expect(event).toMatchObject({ experiment: 'exp_1', arm, share: 0.5 });
    expect(event.version).toBe(arm === 'canary' ? 'v-arm' : 'v-main');
    expect(event.served).toBe(arm === 'canary' ? 'trial' : 'base');
    expect(response.headers.get('x-hive-arm')).toBe(`exp_1/${arm}`);
    expect(response.headers.get('x-hive-version')).toBe(event.version);
  }
  expect(arms.size).toBe(2);
  const canary = gateway.events().filter(({ arm }) => arm === 'canary');
  expect(observed.map(({ id }) => id)).toEqual(canary.map(({ id }) => id));
});

test.each([
  ['without a permit', 0, 'canary', {}],
  ['while the canary is paused', 1, 'paused', {}],
  ['that pins its target', 1, 'canary', { 'x-hive-target': 'base' }],
] as const)('a call %s carries no experiment', async (_name, share, state, headers) => {
  await start(share, state);
  const response = await gateway.post(ask(), headers);
  expect(response.headers.get('x-hive-arm')).toBeNull();
  expect(await gateway.event()).toMatchObject({
    experiment: null,
    arm: null,
    share: null,
    version: 'v-main',
    served: 'base',
  });
});

test('an arm whose target fails is an error of the arm', async () => {
  await start(1);
  trial.script(status(500));
  await gateway.post(ask());
  expect(await gateway.event()).toMatchObject({ arm: 'canary', arm_error: true, outcome: 'error' });
});

test.each([
  ['the gateway', { resilience: { overload: { in_flight: 1, queue_ms: 0 } } }],
  ['its target', { resilience: { overload: { queue_ms: 0 } }, in_flight: 1 }],
])('an arm is not judged by a call that was sent away since %s takes no more', async (...row) => {
  await start(1, 'canary', row[1]);
  const known = trial.calls.length;
  trial.script(stall());
  const leaving = new AbortController();
  const init = { method: 'POST', body: JSON.stringify(ask()), signal: leaving.signal };
  const first = fetch(`${gateway.url}/v1/chat/completions`, init).catch(() => {});
  await until(() => trial.calls.length > known, { what: 'the first call' });
  expect((await gateway.post(ask())).status).toBe(503);
  expect(await gateway.event()).toMatchObject({
    arm: 'canary',
    outcome: 'rejected',
    arm_error: false,
  });
  expect(gateway.metrics.snapshot().hive_calls_total).toMatchObject([
    { labels: ['default', 'rejected'], value: 1 },
  ]);
  leaving.abort();
  await first;
});
