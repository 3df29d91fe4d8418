import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOSTILITIES } from '../kit/hostile.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { quantile, residentBytes, steadyLoad } from './gateway-load.ts';

/** The product before upstreams that want to kill it, many calls at once, each for seconds. */
const CALLS = 8;
/** What all of them together may hold, and what of memory the gateway may take beside it. */
const HELD_BYTES_MAX = 32 * 1024 * 1024;
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;

let hostile: ChildProcess;
let well: Upstream;
let product: Product;

beforeAll(async () => {
  hostile = fork('test/slow/hostile-process.ts');
  const [{ url }] = (await once(hostile, 'message')) as [{ url: string }];
  well = await startUpstream(answer('fine'));
  product = await startProduct({
    policies: { 'gateway.yaml': policy(), 'oracle_policies.yaml': 'version: 1\n' },
    env: { HOSTILE_URL: url, WELL_URL: well.url, UPSTREAM_KEY: 'sk-x' },
  });
  const warm = steadyLoad(product.gateway_url, 'other', 4);
  await until(() => warm.times_ms.length > 2000, { what: 'a warm gateway', deadline_ms: 30_000 });
  await warm.stop();
});
afterAll(async () => {
  await product?.stop();
  hostile.disconnect();
  await well.close();
});

function policy(): string {
  return `version: 1
providers:
  hostile:
    { use: openai, base_url: "\${HOSTILE_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
  well: { use: openai, base_url: "\${WELL_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
targets:
  hostile: { provider: hostile, model: m }
  well: { provider: well, model: m }
agents:
  default: { targets: [hostile] }
  other: { targets: [well] }
resilience:
  timeouts: { connect_ms: 2000, first_token_ms: 2000, idle_ms: 2000, total_ms: 3000 }
  retry: { retries: 0 }
  breaker: { calls_min: 1000000, failures: 1000000 }
  overload: { in_flight: 1000, bytes_max: ${HELD_BYTES_MAX} }
`;
}

test.each(HOSTILITIES)('product survives upstreams that send $name', async ({ stream, ...one }) => {
  hostile.send(one.name);
  await once(hostile, 'message');
  const pids = product.pids();
  const { gateway } = pids;
  const load = steadyLoad(product.gateway_url, 'other', 2);
  const rest_bytes = residentBytes(gateway ?? 0);
  let most_bytes = 0;
  const timer = setInterval(() => {
    most_bytes = Math.max(most_bytes, residentBytes(gateway ?? 0));
  }, 50);
  const ends = await Promise.all(Array.from({ length: CALLS }, () => call(stream)));
  await load.stop();
  clearInterval(timer);
  const grown = most_bytes - rest_bytes;
  const p99 = quantile(load.times_ms, 0.99);
  process.stdout.write(
    `${one.name}: +${Math.round(grown / 1e6)} MB, ${load.times_ms.length} others, ` +
      `p50 ${quantile(load.times_ms, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`,
  );
  for (const end of ends) expect(end).toMatch(one.ends);
  expect(load.failures).toEqual([]);
  expect(load.times_ms.length).toBeGreaterThan(0);
  expect(grown).toBeLessThan(GROWTH_BYTES_MAX);
  expect(product.pids()).toEqual(pids);
  expect(product.output()).not.toMatch(/uncaught|unhandled|FATAL|heap out of memory/i);
});

async function call(stream: boolean): Promise<string> {
  const response = await fetch(`${product.gateway_url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'default', stream, messages: [{ role: 'user', content: 'x' }] }),
  });
  let tail = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) tail = (tail + decoder.decode(part)).slice(-500);
  return `${response.status} ${tail}`;
}
