import { afterEach, beforeEach, expect, test } from 'vitest';
import { storedResponses } from '../kit/stored-responses.ts';
import { until } from '../kit/until.ts';
import { startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { anthropicAt, makeSnapshot } from './snapshot.ts';

let gateway: RunningGateway;
let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream(storedResponses('a'));
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/v1/responses/${path}`, { headers });
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string | null } }).error.code;

test('serveStored asks the agent’s first where the target that gave it is gone', async () => {
  const spec = { targets: { old: upstream.url } };
  gateway = await startGateway(makeSnapshot(spec));
  const { id } = await gateway.client.responses.create({ model: 'default', input: 'hi' });
  await gateway.current.swap(makeSnapshot({ targets: { fresh: upstream.url }, version: 'v2' }));
  const response = await get(id);
  expect([response.status, response.headers.get('x-hive-target')]).toEqual([200, 'fresh']);
  expect(response.headers.get('x-hive-version')).toBe('v2');
});

test('serveStored refuses a target that keeps none, and one that is not there', async () => {
  const claude = { provider: anthropicAt('http://127.0.0.1:1') };
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url, claude } }));
  const kept = await get('resp_1', { 'x-hive-target': 'claude' });
  expect([kept.status, await codeOf(kept)]).toEqual([404, 'not_found']);
  const lost = await get('resp_1', { 'x-hive-target': 'none' });
  expect([lost.status, await codeOf(lost)]).toEqual([404, 'model_not_found']);
  expect(upstream.requests).toEqual([]);
});

test('serveStored takes a place like any call, and gives it back', async () => {
  const overload = { in_flight: 1, queue_max: 0 };
  gateway = await startGateway(
    makeSnapshot({ targets: { main: upstream.url }, resilience: { overload } }),
  );
  const held = Promise.withResolvers<void>();
  upstream.script(async (exchange) => {
    await held.promise;
    await status(200, { id: 'resp_1', object: 'response' })(exchange);
  });
  const first = get('resp_1');
  await until(() => upstream.requests.length === 1, { what: 'the first request' });
  const second = await get('resp_2');
  expect([second.status, await codeOf(second)]).toEqual([503, 'overloaded']);
  held.resolve();
  expect((await first).status).toBe(200);
  expect((await get('resp_3')).status).toBe(200);
});

test('serveStored is refused while memory is short and calls are under way', async () => {
  const given = { memoryShare: () => 0.99 };
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url } }), given);
  const held = Promise.withResolvers<void>();
  upstream.script(async (exchange) => {
    await held.promise;
    await status(200, { id: 'resp_1', object: 'response' })(exchange);
  });
  const first = get('resp_1');
  await until(() => upstream.requests.length === 1, { what: 'the first request' });
  expect((await get('resp_2')).status).toBe(503);
  held.resolve();
  expect((await first).status).toBe(200);
  expect(upstream.requests).toHaveLength(1);
});

test('serveStored says in our words what a provider without the route means', async () => {
  upstream.script(status(404, { detail: 'Not Found' }));
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url } }));
  const response = await get('resp_1');
  expect([response.status, await codeOf(response)]).toEqual([404, 'not_found']);
});

test('serveStored passes a refusal of our key on without its words', async () => {
  upstream.script(status(401, { error: { message: 'bad key sk-upstream', type: 'x' } }));
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url } }));
  const response = await get('resp_1');
  expect(response.status).toBe(502);
  expect(await response.text()).not.toContain('sk-upstream');
});
