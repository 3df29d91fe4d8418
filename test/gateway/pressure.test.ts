import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { heapShare, memoryShare, watchPressure } from '../../src/gateway/pressure.ts';
import { until } from '../kit/until.ts';
import { answer, by, stall, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway | null = null;
beforeAll(async () => {
  upstream = await startUpstream(by(({ user }) => (user === 'hang' ? stall() : answer('fine'))));
});
afterEach(() => gateway?.close());
afterAll(() => upstream.close());

/** A call that its upstream leaves without an answer. */
async function hang({ url, gateway: asked }: RunningGateway): Promise<AbortController> {
  const leaving = new AbortController();
  const body = JSON.stringify(ask('hang'));
  const headers = { 'content-type': 'application/json' };
  const sent = { method: 'POST', headers, body, signal: leaving.signal };
  fetch(`${url}/v1/chat/completions`, sent).catch(() => {});
  await until(() => asked.callsOpen() === 1, { what: 'the call to be under way' });
  return leaving;
}

test('pressure is high from 92 % of the heap on, until it is below 85 %', async () => {
  let share = 0.9;
  let looks = 0;
  const pressure = watchPressure(() => {
    looks += 1;
    return share;
  }, 1);
  const at = async (next: number): Promise<boolean> => {
    share = next;
    const seen = looks;
    await until(() => looks > seen + 1, { what: 'a look', every_ms: 1 });
    return pressure.high;
  };
  expect(pressure.high).toBe(false);
  expect(await at(0.93)).toBe(true);
  expect(await at(0.88)).toBe(true);
  expect(await at(0.84)).toBe(false);
  expect(await at(0.91)).toBe(false);
  pressure.close();
});

test('pressure of a process at rest is low', () => {
  expect(heapShare()).toBeGreaterThan(0);
  expect(heapShare()).toBeLessThan(0.5);
  expect(memoryShare(1, null)).toBe(heapShare);
});

const onLinux = test.skipIf(process.platform !== 'linux');
onLinux('pressure is high where the container is nearly full, though the heap is not', () => {
  const tight = watchPressure(memoryShare(1, 0.5 * process.memoryUsage.rss()));
  expect(tight.high).toBe(true);
  tight.close();
  const wide = watchPressure(memoryShare(1, 100 * process.memoryUsage.rss()));
  expect(wide.high).toBe(false);
  wide.close();
});

test('a gateway under pressure refuses new calls, answers the rest, and recovers', async () => {
  let share = 0.1;
  const snapshot = makeSnapshot({ targets: { main: upstream.url } });
  gateway = await startGateway(snapshot, { memoryShare: () => share });
  expect((await gateway.post(ask())).status).toBe(200);
  const running = gateway;
  const underway = await hang(running);
  share = 0.95;
  const refused = await until(
    async () => {
      const response = await running.post(ask());
      return response.status === 503 && response;
    },
    { what: 'a refusal' },
  );
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({ error: { code: 'overloaded' } });
  expect(gateway.metrics.snapshot().hive_shed_total).toMatchObject([{ labels: ['memory'] }]);
  expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  share = 0.1;
  await until(async () => (await running.post(ask())).status === 200, { what: 'an answer' });
  underway.abort();
});

test('a gateway under pressure takes a call where none is under way: it must recover', async () => {
  const snapshot = makeSnapshot({ targets: { main: upstream.url } });
  gateway = await startGateway(snapshot, { memoryShare: () => 0.99 });
  expect((await gateway.post(ask())).status).toBe(200);
  const running = gateway;
  await until(() => running.gateway.callsOpen() === 0, { what: 'its end' });
  const underway = await hang(running);
  expect((await gateway.post(ask())).status).toBe(503);
  underway.abort();
  await until(() => running.gateway.callsOpen() === 0, { what: 'its end' });
  expect((await gateway.post(ask())).status).toBe(200);
});
