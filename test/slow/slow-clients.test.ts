import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { quantile, residentBytes, steadyLoad } from './gateway-load.ts';

/** Clients that hold connections and say nearly nothing, beside others who just call. */
const SLOW = Number(process.env.SLOW_CLIENTS ?? 6000);
/** Of a socket, its connection and half a request: what one that waits may cost. */
const BYTES_EACH_MAX = 40_000;

let upstream: Upstream;
let product: Product;
const sockets: Socket[] = [];

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
  product = await startProduct({
    policies: { 'gateway.yaml': policy(), 'oracle_policies.yaml': 'version: 1\n' },
    env: { UPSTREAM_URL: upstream.url, UPSTREAM_KEY: 'sk-x' },
  });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await product?.stop();
  await upstream.close();
});

function policy(): string {
  return `version: 1
providers:
  main: { use: openai, base_url: "\${UPSTREAM_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
targets: { main: { provider: main, model: m } }
agents: { default: { targets: [main] } }
`;
}

const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n';
/** What is said at first, and what then a byte at a time. */
const KINDS: readonly (readonly [first: string, then: string])[] = [
  ['', ''],
  [HEAD, 'x-slow: y\r\n'],
  [`${HEAD}content-type: application/json\r\ncontent-length: 100000\r\n\r\n{"model":`, ' '],
  [`${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
];

async function openSlow(port: number): Promise<void> {
  for (let opened = 0; opened < SLOW; opened += 200) {
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const [first, then] = KINDS[index % KINDS.length] as (typeof KINDS)[number];
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        sockets.push(socket.resume());
        await once(socket, 'connect');
        if (first !== '') socket.write(first);
        if (then === '') return;
        let at = 0;
        const timer = setInterval(() => {
          socket.write(then[at % then.length] ?? '');
          at += 1;
        }, 2000);
        socket.once('close', () => clearInterval(timer));
      }),
    );
  }
}

test('thousands of slow clients cost nobody else a call', async () => {
  const port = Number(new URL(product.gateway_url).port);
  const pids = product.pids();
  const warm = steadyLoad(product.gateway_url, 'default', 2);
  await until(() => warm.times_ms.length > 1000, { what: 'a warm gateway', deadline_ms: 30_000 });
  await warm.stop();
  const rest_bytes = residentBytes(pids.gateway ?? 0);
  const load = steadyLoad(product.gateway_url, 'default', 2);
  await openSlow(port);
  const held = sockets.filter((socket) => !socket.destroyed).length;
  const grown = residentBytes(pids.gateway ?? 0) - rest_bytes;
  expect(held).toBeGreaterThan(SLOW / 2);
  // Heads are due after 10 s, bodies after 30 s, and both are looked for every 2 s.
  const gone = (): boolean => sockets.every((socket) => socket.destroyed || socket.readableEnded);
  await until(gone, { what: 'the slow ones to be let go', deadline_ms: 60_000, every_ms: 200 });
  await load.stop();
  process.stdout.write(
    `${held} slow clients: +${Math.round(grown / 1e6)} MB, ${load.times_ms.length} calls, ` +
      `p50 ${quantile(load.times_ms, 0.5).toFixed(1)} ms, ` +
      `p99 ${quantile(load.times_ms, 0.99).toFixed(1)} ms, ${load.failures.length} failed\n`,
  );
  expect(load.failures).toEqual([]);
  expect(load.times_ms.length).toBeGreaterThan(1000);
  expect(grown).toBeLessThan(SLOW * BYTES_EACH_MAX);
  expect(product.pids()).toEqual(pids);
}, 150_000);
