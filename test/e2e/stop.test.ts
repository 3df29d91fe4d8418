import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { descendantsOf, signal } from '../kit/processes.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { stall, startUpstream, stream, type Upstream } from '../kit/upstream.ts';
import { worldPolicies } from './world.ts';

let product: Product;
let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => product.stop());
afterAll(() => upstream.close());

const PIECES = Array.from({ length: 20 }, (_, index) => `${index} `);
const STREAMS = 40;

const start = async (workers: number, stop_ms: number): Promise<void> => {
  product = await startProduct({
    policies: worldPolicies(upstream.url, upstream.url),
    env: { HIVE_WORKERS: String(workers), HIVE_STOP_MS: String(stop_ms) },
  });
};

const open = (streaming = true): Promise<Response> =>
  fetch(`${product.gateway_url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'scripted',
      stream: streaming,
      messages: [{ role: 'user', content: 'count' }],
    }),
  });

const isWhole = (text: string): boolean =>
  PIECES.every((piece) => text.includes(JSON.stringify(piece))) && text.endsWith('[DONE]\n\n');

test.each([[1], [2]])(
  'SIGTERM cuts no stream that ends within the deadline, and tells balancers (workers: %i)',
  async (workers) => {
    await start(workers, 20_000);
    upstream.script(stream(PIECES, { delay_ms: 100 }));
    const streams = await Promise.all(Array.from({ length: STREAMS }, () => open()));
    const texts = Promise.all(streams.map((response) => response.text()));
    const gateway = product.pids().gateway as number;
    signal(gateway, 'SIGTERM');
    const unready = await until(
      async () => {
        const ready = await fetch(`${product.gateway_url}/ready`);
        await ready.body?.cancel();
        return ready.status === 503 && ready;
      },
      { what: 'the product to be unready' },
    );
    expect(unready.headers.get('connection')).toBe('close');
    // Whoever has not heard of it yet is served all the same.
    const late = await open();
    expect(late.headers.get('connection')).toBe('close');
    const [all, last] = await Promise.all([texts, late.text()]);
    expect([...all, last].filter((text) => !isWhole(text))).toEqual([]);
    await until(() => product.pids().gateway === null, { what: 'the product to end' });
    expect(product.exit()).toBe('code 0');
  },
  120_000,
);

test('SIGTERM breaks off at the deadline what goes on for ever', async () => {
  await start(1, 700);
  upstream.script([stream(['one '], { end: 'stall' }), stall()]);
  const endless = await open();
  const known = upstream.calls.length;
  const whole = open(false);
  await until(() => upstream.calls.length > known, { what: 'the whole call' });
  const begun_ms = performance.now();
  signal(product.pids().gateway as number, 'SIGTERM');
  const [text, told] = await Promise.all([endless.text(), whole]);
  expect(performance.now() - begun_ms).toBeGreaterThan(600);
  expect(text).toMatch(/data: \{"error":\{.*"code":"not_ready"\}\}\n\n$/);
  expect(text).not.toContain('[DONE]');
  expect([told.status, told.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await told.json()).toMatchObject({ error: { code: 'not_ready' } });
  await until(() => product.exit() !== null, { what: 'the product to end' });
  expect(product.exit()).toBe('code 0');
}, 120_000);

test('SIGTERM amid the start of several workers ends them in order', async () => {
  await start(2, 5000);
  await product.quit();
  const starting = product.restart();
  starting.catch(() => {});
  // Of the two that begin one is held up; the other answers meanwhile.
  const begun = () => {
    const gateway = product.pids().gateway;
    if (gateway === null) throw new Error(product.output());
    const all = descendantsOf(gateway).filter(({ command }) => command.includes('gateway-process'));
    return all.length === 2 && all[1];
  };
  const held = await until(begun, { what: 'both processes', deadline_ms: 20_000, every_ms: 2 });
  signal(held.pid, 'SIGSTOP');
  const isReady = async () =>
    (await fetch(`${product.gateway_url}/ready`, { signal: AbortSignal.timeout(2000) })).ok;
  await until(isReady, { what: 'the first process', deadline_ms: 20_000 });
  // Who does not know what to do with a signal is dead before it can learn it.
  signal(product.pids().gateway as number, 'SIGTERM');
  signal(held.pid, 'SIGCONT');
  await until(() => product.exit() !== null, { what: 'the product to end', deadline_ms: 20_000 });
  expect(product.exit()).toBe('code 0');
}, 120_000);

test('a second SIGTERM ends everything at once', async () => {
  await start(2, 30_000);
  upstream.script(stream(['one '], { end: 'stall' }));
  const endless = await open();
  endless.text().catch(() => {});
  const gateway = product.pids().gateway as number;
  signal(gateway, 'SIGTERM');
  await until(async () => (await fetch(`${product.gateway_url}/ready`)).status === 503, {
    what: 'the product to be unready',
  });
  signal(gateway, 'SIGTERM');
  await until(() => product.exit() !== null, { what: 'the end at once', deadline_ms: 5000 });
  expect(product.exit()).toBe('code 1');
  // Nothing is in the way of the next start.
  await product.restart();
  expect((await fetch(`${product.gateway_url}/ready`)).status).toBe(200);
}, 120_000);
