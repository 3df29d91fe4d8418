import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { answer, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

/** An agent with a target of its own and one that is there for trouble only. */
async function start(): Promise<void> {
  const entry = { targets: { own: 1 }, fallbacks: { any: ['spare'] } };
  const targets = { own: upstream.url, spare: upstream.url };
  gateway = await startGateway(
    makeSnapshot({ targets, agents: { default: { targets: ['own'], entry } } }),
  );
}

test('callEvent tells of an arm whose own target answered that it did not fail', async () => {
  await start();
  upstream.script(answer('yes'));
  await gateway.post(ask());
  const event = await gateway.event();
  expect(event).toMatchObject({ intended: 'own', served: 'own', arm_error: false });
  expect(event.attempts).toHaveLength(1);
});

test('callEvent tells of an arm that failed where another answered, or nobody did', async () => {
  await start();
  upstream.script([status(500), answer('yes')]);
  await gateway.post(ask());
  expect(await gateway.event(1)).toMatchObject({ served: 'spare', arm_error: true });
  upstream.script(status(500));
  await gateway.post(ask());
  expect(await gateway.event(2)).toMatchObject({ outcome: 'error', arm_error: true });
});

test('callEvent judges a pinned call by the target that its client named', async () => {
  await start();
  upstream.script(answer('yes'));
  await gateway.post(ask(), { 'x-hive-target': 'spare' });
  expect(await gateway.event()).toMatchObject({ served: 'spare', arm_error: false });
});

test('callEvent gives times to the microsecond', async () => {
  await start();
  upstream.script(answer('yes'));
  await gateway.post(ask());
  const { latency_ms, attempts } = await gateway.event();
  for (const ms of [latency_ms, attempts[0]?.ms ?? Number.NaN]) {
    expect(ms).toBe(Number(ms.toFixed(3)));
    expect(ms).toBeGreaterThan(0);
  }
});
