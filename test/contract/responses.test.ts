import { afterEach, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { askRaw } from '../kit/raw-http.ts';
import { startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { serve } from './contract-kit.ts';

let gateway: RunningGateway;
const upstreams: Upstream[] = [];
afterEach(async () => {
  await gateway.close();
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
});

const upstreamOf = async (id: string) => {
  const response = { id, object: 'response', status: 'completed', model: 'm', output: [] };
  const upstream = await startUpstream(status(200, response));
  upstreams.push(upstream);
  return upstream;
};
const respond = (more: object = {}, headers: Readonly<Record<string, string>> = {}) =>
  askRaw(gateway.port, {
    path: '/v1/responses',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'default', input: 'hi', ...more }),
  });

describe('/v1/responses', () => {
  test('that go on from an earlier one are asked of the provider that has it', async () => {
    const [a, b] = [await upstreamOf('resp_a'), await upstreamOf('resp_b')];
    gateway = await serve({ targets: { a: a.url, b: b.url } });
    for (const target of ['b', 'a', 'b']) {
      const first = await respond({}, { 'x-hive-target': target });
      const { id } = first.json() as { id: string };
      expect(id).toBe(`resp_${target}`);
      expect((await respond({ previous_response_id: id })).json()).toMatchObject({ id });
    }
  });

  test('that go on from one that nobody remembers are asked of any', async () => {
    gateway = await serve({ targets: { a: (await upstreamOf('resp_a')).url } });
    expect((await respond({ previous_response_id: 'resp_x' })).status).toBe(200);
  });
});
