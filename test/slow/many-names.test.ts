import { hash } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { residentBytes } from './gateway-load.ts';

/** Clients that name everything anew each time: nothing may be kept, or counted, of each name. */
const NAMES = Number(process.env.NAMES ?? 100_000);
/** Until the rings of what is remembered of late are full, growth is how full they are. */
const WARM = Math.ceil(NAMES / 2);
const TENANTS = 100;
const GROWTH_BYTES_MAX = 96 * 1024 * 1024;

let upstream: Upstream;
let product: Product;
const agent = new Agent({ connections: 16 });

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
  product = await startProduct({
    policies: { 'gateway.yaml': policy(), 'oracle_policies.yaml': 'version: 1\n' },
    env: { UPSTREAM_URL: upstream.url, UPSTREAM_KEY: 'sk-x' },
  });
});
afterAll(async () => {
  await agent.destroy();
  await product?.stop();
  await upstream.close();
});

const keyOf = (tenant: number): string => `sk-hive-test-${tenant}`;

function policy(): string {
  const all = Array.from({ length: TENANTS }, (_, index) => index);
  const keys = all.map(
    (one) => `{ name: k${one}, tenant: t${one}, sha256: ${hash('sha256', keyOf(one), 'hex')} }`,
  );
  const agents = all.map((one) => `a${one}: { targets: [main] }`);
  return `version: 1
providers:
  main: { use: openai, base_url: "\${UPSTREAM_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
targets: { main: { provider: main, model: m } }
agents: { default: { targets: [main] }, ${agents.join(', ')} }
access: { mode: keys, keys: [${keys.join(', ')}] }
`;
}

/** A call, or what is none: all that a client may name is named as nothing was before. */
function requestOf(number: number): Pick<Dispatcher.RequestOptions, 'path' | 'headers' | 'body'> {
  const name = `n${number}`;
  const stranger = number % 8 === 1;
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${stranger ? name : keyOf(number % TENANTS)}`,
    'user-agent': name,
    'x-request-id': name,
    'x-user-id': name,
    'x-session-id': name,
    ...(number % 8 === 2 ? { 'x-agent-id': name } : {}),
    ...(number % 8 === 3 ? { 'x-hive-target': name } : {}),
  };
  const model = number % 8 === 4 ? name : number % 3 === 0 ? 'default' : `a${number % TENANTS}`;
  const body = JSON.stringify({ model, user: name, messages: [{ role: 'user', content: name }] });
  const feedback = { session_id: name, agent_id: name, rating: 3 };
  if (number % 8 === 5) return { path: '/feedback', headers, body: JSON.stringify(feedback) };
  if (number % 8 === 6) return { path: `/v1/${name}`, headers, body };
  return { path: '/v1/chat/completions', headers, body };
}

async function nameEverything(from: number, count: number): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + count) {
      const number = next;
      next += 1;
      const to = { origin: product.gateway_url, method: 'POST' as const, ...requestOf(number) };
      const { statusCode, body } = await agent.request(to);
      await body.dump();
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return statuses;
}

/** The series of /metrics, without what they count. */
async function seriesNow(): Promise<readonly string[]> {
  const text = await (await fetch(`${product.admin_url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.slice(0, line.lastIndexOf(' '))).sort();
}

test('thousands of names of clients grow neither memory nor metrics', async () => {
  await nameEverything(0, WARM);
  const { gateway, worker } = product.pids();
  const bytes = () => [residentBytes(gateway ?? 0), residentBytes(worker ?? 0)] as const;
  const series = await seriesNow();
  const before = bytes();
  const statuses = await nameEverything(WARM, NAMES);
  const after = bytes();
  const grown = after.map((now, index) => now - (before[index] ?? 0));
  process.stdout.write(
    `${NAMES} names, ${JSON.stringify(statuses)}: ${series.length} series; ` +
      `gateway ${after[0] >> 20} MB (+${(grown[0] ?? 0) >> 20}), ` +
      `worker ${after[1] >> 20} MB (+${(grown[1] ?? 0) >> 20})\n`,
  );
  expect(statuses['200']).toBeGreaterThan(NAMES / 5);
  expect(statuses['401']).toBeGreaterThan(NAMES / 10);
  expect(statuses['404']).toBeGreaterThan(NAMES / 10);
  const now = await seriesNow();
  // The oracle has begun to tell of itself meanwhile.
  expect(now.length - series.length).toBeLessThan(100);
  expect(now.join('\n')).not.toMatch(/"n\d+"/);
  for (const one of grown) expect(one).toBeLessThan(GROWTH_BYTES_MAX);
});
