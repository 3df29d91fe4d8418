import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { world } from './feedback-world.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url } }), {
    feedbackRoutes: world().app,
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const series = (): number =>
  Object.values(gateway.metrics.snapshot()).reduce((sum, all) => sum + all.length, 0);

/** All that a client may name, named anew each time; a part of it makes calls that are answered. */
async function nameEverything(from: number, count: number): Promise<void> {
  const one = async (number: number): Promise<void> => {
    const name = `n${number}`;
    const headers = {
      authorization: `Bearer ${name}`,
      'x-user-id': name,
      'x-session-id': name,
      'user-agent': name,
      'x-request-id': name,
    };
    const kinds = [
      () => gateway.post(ask('hi', { model: name }), headers),
      () => gateway.post(ask('hi', { user: name, metadata: { user_id: name } }), headers),
      () => gateway.post(ask(), { ...headers, 'x-agent-id': name }),
      () => gateway.post(ask(), { ...headers, 'x-hive-target': name }),
      () => fetch(`${gateway.url}/v1/${name}`, { method: 'POST', body: name }),
      () => fetch(`${gateway.url}/${name}`),
      () => fetch(`${gateway.url}/v1/models/${name}`),
      () =>
        fetch(`${gateway.url}/feedback`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ call_id: name, session_id: name, agent_id: name, rating: 3 }),
        }),
    ];
    const response = await kinds[number % kinds.length]?.();
    await response?.text();
  };
  for (let at = from; at < from + count; at += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, index) => one(at + index)));
  }
}

test('metrics have as many series after thousands of names as after a few', async () => {
  await nameEverything(0, 80);
  const before = series();
  await nameEverything(1000, 2000);
  expect(before).toBeGreaterThan(5);
  expect(series()).toBe(before);
  expect(JSON.stringify(gateway.metrics.snapshot())).not.toMatch(/"n\d+"/);
});
