import { hash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JournalRecord, UsageEvent } from '../../src/core/event.ts';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { askRaw } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import { type Exchange, startUpstream, type Upstream } from '../kit/upstream.ts';
import { serve } from './contract-kit.ts';

/** What a response in the background has cost is known when it is read. */

let upstream: Upstream;
let gateway: RunningGateway;
let status: string;
beforeEach(async () => {
  status = 'queued';
  upstream = await startUpstream(working);
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const USAGE = { input_tokens: 1000, output_tokens: 500, total_tokens: 1500 };
const isDone = () => status === 'completed' || status === 'failed';

/** A provider that works on its one response until `status` says otherwise. */
function working({ request, response }: Exchange): void {
  const made = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'm',
    status,
    background: true,
    output: [],
    usage: isDone() ? USAGE : null,
  };
  if (!request.path.includes('stream=true')) {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(made));
    return;
  }
  const last = JSON.stringify({ type: 'response.completed', sequence_number: 1, response: made });
  response.setHeader('content-type', 'text/event-stream');
  response.end(`event: response.completed\ndata: ${last}\n\n`);
}

const KEYS = Object.fromEntries(
  ['acme', 'rival'].map((name) => [
    hash('sha256', `sk-${name}`, 'hex'),
    { name, tenant: name, agents: null, asserts: [] },
  ]),
);
const start = async () => {
  const price = { input_usd: 2, output_usd: 10 };
  gateway = await serve({
    targets: { main: { url: upstream.url, price } },
    access: { mode: 'keys', keys: KEYS },
  });
};
const ask = (method: string, path: string, body?: object, key = 'sk-acme') =>
  askRaw(gateway.port, {
    method,
    path: `/v1/responses${path}`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const make = () => ask('POST', '', { model: 'default', input: 'hi', background: true });
const isUsage = (record: JournalRecord): record is UsageEvent => record.type === 'usage';
const charged = () => gateway.bus.records.filter(isUsage);
const total = (name: string) =>
  (gateway.metrics.snapshot()[name] ?? []).reduce((sum, { value }) => sum + value, 0);

test('a response in the background costs nothing yet, and nothing is made up for it', async () => {
  await start();
  const made = await make();
  expect([made.status, made.header('x-hive-cost-usd')]).toEqual([200, null]);
  const event = await gateway.event();
  expect(event).toMatchObject({ outcome: 'ok', cost_usd: null, finish: null });
  expect(event.tokens).toEqual({ in: 0, cached: 0, out: 0, estimated: true });
  expect([total('hive_tokens_total'), total('hive_cost_usd_total')]).toEqual([0, 0]);
});

test.each([
  ['read', 'completed', ''],
  ['read as it failed', 'failed', ''],
  ['streamed', 'completed', '?stream=true'],
])('a response in the background is charged to its call when it is %s', async (...given) => {
  const [, ended, query] = given;
  await start();
  const made = await make();
  await gateway.event();
  await ask('GET', '/resp_1');
  expect(charged()).toEqual([]);
  status = ended;
  for (let time = 0; time < 3; time += 1) await ask('GET', `/resp_1${query}`);
  await until(() => charged().length > 0, { what: 'the charge' });
  expect(charged()).toMatchObject([
    {
      call: made.header('x-hive-call-id'),
      tenant: 'acme',
      tokens: { in: 1000, cached: 0, out: 500, estimated: false },
      cost_usd: 0.007,
    },
  ]);
  expect(total('hive_tokens_total')).toBe(1500);
  expect(total('hive_cost_usd_total')).toBeCloseTo(0.007, 9);
  // It is no call, and none is recorded.
  expect(gateway.events()).toHaveLength(1);
});

test('a response whose cost its own call told is charged to nobody again', async () => {
  await start();
  status = 'completed';
  await make();
  expect((await gateway.event()).tokens).toMatchObject({ in: 1000, out: 500, estimated: false });
  await ask('GET', '/resp_1');
  await ask('GET', '/resp_1', undefined, 'sk-rival');
  expect(charged()).toEqual([]);
});
