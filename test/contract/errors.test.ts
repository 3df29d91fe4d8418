import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ask, type RunningGateway } from '../gateway/gateway-kit.ts';
import { askRaw, openRaw, type RawAnswer, requestBytes, sendRaw } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  htmlError,
  openAiError,
  reset,
  stall,
  startUpstream,
  status,
  type Upstream,
} from '../kit/upstream.ts';
import {
  askChat,
  CHAT,
  chatBody,
  expectOpenAiError,
  ONCE,
  RETRYING,
  serve,
} from './contract-kit.ts';

let upstream: Upstream;
let other: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [upstream, other] = await Promise.all([startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([upstream.close(), other.close()]));

const start = async (
  script: Behaviour | readonly Behaviour[] = answer('ok'),
  more: Partial<Parameters<typeof serve>[0]> = {},
) => {
  upstream.script(script);
  gateway = await serve({
    targets: { main: upstream.url },
    resilience: ONCE,
    body_bytes_max: 5000,
    ...more,
  });
};

type Ask = (port: number) => Promise<RawAnswer>;

/** What a client can do wrong, and the status of each. */
const REFUSED: readonly (readonly [string, number, Ask])[] = [
  ['a body that is no JSON', 400, (port) => askChat(port, '{"model":')],
  ['an empty body', 400, (port) => askChat(port, '')],
  ['a body that is no object', 400, (port) => askChat(port, '[]')],
  ['a body that is not UTF-8', 400, (port) => askRaw(port, { path: CHAT, body: BAD_UTF8 })],
  ['no model', 400, (port) => askChat(port, '{"messages":[]}')],
  ['messages that are none', 400, (port) => askChat(port, '{"model":"default","messages":7}')],
  ['a body over the limit', 413, (port) => askChat(port, chatBody({ pad: 'x'.repeat(9000) }))],
  ['an unknown model', 404, (port) => askChat(port, chatBody({ model: 'none' }))],
  ['an unknown agent', 404, (port) => askChat(port, chatBody(), { 'x-agent-id': 'none' })],
  ['an unknown route', 404, (port) => askRaw(port, { path: '/v1/none', body: '{}' })],
  ['an unknown route of no API', 404, (port) => askRaw(port, { path: '/none', body: '{}' })],
  ['a model that is none', 404, (port) => askRaw(port, { path: '/v1/models/none' })],
  ['a wrong method', 405, (port) => askRaw(port, { path: CHAT })],
  ['a compressed body', 415, (port) => askChat(port, chatBody(), { 'content-encoding': 'gzip' })],
  ['a foreign Host', 400, (port) => askRaw(port, { path: CHAT, headers: { host: 'evil.test' } })],
  ['a path with dots', 400, (port) => askRaw(port, { path: '/v1/../v1/models' })],
  ['bytes that are no HTTP', 400, (port) => sendRaw(port, 'hello\r\n\r\n')],
  [
    'headers over the limit',
    431,
    (port) => askRaw(port, { path: CHAT, headers: { 'x-long': 'x'.repeat(40_000) } }),
  ],
];
const BAD_UTF8 = Buffer.concat([
  Buffer.from('{"model":"default","messages":[{"role":"user","content":"'),
  Buffer.of(0xc3, 0x28),
  Buffer.from('"}]}'),
]);

/** What an upstream can do, and what its client must see. */
const FAILING: readonly (readonly [string, number, Behaviour])[] = [
  ['its own 400', 400, status(400, openAiError(400, 'bad temperature'))],
  ['its own 422', 422, status(422, openAiError(422))],
  ['a 408', 504, status(408)],
  ['a 500', 502, status(500)],
  ['a 503', 503, status(503)],
  ['HTML', 502, htmlError()],
  ['a bare text', 502, status(500, 'oh no')],
  ['nothing', 502, status(500, '')],
  ['half a JSON', 502, status(500, '{"error":{"mess')],
  ['an error without its keys', 502, status(500, { error: { message: 'short' } })],
  ['an error that is a text', 502, status(500, { error: 'short' })],
  ['an answer that is HTML', 502, status(200, '<html>', { 'content-type': 'text/html' })],
  ['an answer that is half a JSON', 502, status(200, '{"id":"x",')],
  ['an empty answer', 502, status(200, '')],
  ['a redirect', 502, status(307, '', { location: 'http://127.0.0.1:1/' })],
  ['a reset before its headers', 502, reset()],
  ['a reset after its headers', 502, reset('after-headers')],
  ['silence', 504, stall()],
  ['silence after its headers', 504, stall('after-headers')],
  ['a refusal of our key', 502, status(401, openAiError(401, 'Incorrect API key sk-upstream'))],
];

/** Only silence is waited for; under load a good answer must not be late. */
const timeoutsFor = (what: string) => ({
  timeouts: what.includes('silence') ? { first_token_ms: 100, total_ms: 300 } : {},
});

describe('4c Errors', () => {
  test.each(REFUSED)('4c has all four keys for %s, with status %i', async (_what, code, run) => {
    await start();
    const got = await run(gateway.port);
    expect(got.status).toBe(code);
    expectOpenAiError(got);
    expect(got.header('content-type')).toContain('application/json');
    expect(upstream.calls.length === 0 || got.status < 500).toBe(true);
  });

  test.each(FAILING)('4c has all four keys where the upstream sends %s: %i', async (...row) => {
    const [what, code, script] = row;
    await start(script, timeoutsFor(what));
    const got = await askChat(gateway.port);
    expect(expectOpenAiError(got).message).not.toContain('sk-upstream');
    expect(got.status).toBe(code);
    expect(got.body.toString()).not.toContain('127.0.0.1');
  });

  test.each(FAILING)('4c is the same before a stream: %s', async (what, _code, script) => {
    await start(script, timeoutsFor(what));
    const got = await askChat(gateway.port, chatBody({ stream: true }));
    expect(got.header('content-type')).toContain('application/json');
    expect(got.status).toBeGreaterThanOrEqual(400);
    expectOpenAiError(got);
  });

  test('4c a fault of our own is a 500 that tells nothing of the inside', async () => {
    const plugin = {
      onRequest() {
        throw new Error('secret inside');
      },
    };
    await start(answer('ok'), { plugins: [{ id: 'guard', plugin, on_error: 'fail' }] });
    const got = await askChat(gateway.port);
    expect(got.status).toBe(500);
    expect(expectOpenAiError(got).message).not.toContain('secret');
  });

  test('4c a client that has gone is recorded as aborted, and counts as no error', async () => {
    await start(stall());
    const known = upstream.calls.length;
    const open = await openRaw(gateway.port, requestBytes({ path: CHAT, body: chatBody() }));
    await until(() => upstream.calls[known], { what: 'the call to reach the upstream' });
    open.socket.destroy();
    expect(await gateway.event()).toMatchObject({ outcome: 'aborted', arm_error: false });
    expect(gateway.metrics.snapshot().hive_call_errors_total ?? []).toEqual([]);
  });

  test('4c bounds attempts although the SDK retries too', async () => {
    await start(status(500), { resilience: RETRYING });
    const known = upstream.calls.length;
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 2 });
    await expect(client.chat.completions.create(ask())).rejects.toMatchObject({ status: 502 });
    expect(upstream.calls.length - known).toBeLessThanOrEqual(9);
    expect(upstream.calls.length - known).toBeGreaterThanOrEqual(3);
  });

  test('4c an upstream’s 408 is a 504, after which the SDK asks again as after that', async () => {
    await start([status(408), answer('again')], { resilience: RETRYING });
    const once = await askChat(gateway.port);
    // It had waited for us, and not for the client, so to that it is no 408.
    expect([once.status, once.header('x-should-retry')]).toEqual([504, null]);
    upstream.script([status(408), answer('again')]);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 1 });
    const { choices } = await client.chat.completions.create(ask());
    expect(choices[0]?.message.content).toBe('again');
  });

  test('4c an exhausted chain ends in its most useful error, not in noise', async () => {
    other.script(htmlError(502));
    await start(status(429, openAiError(429, 'quota of main is used up'), { 'retry-after': '9' }), {
      targets: { main: upstream.url, spare: other.url },
      resilience: RETRYING,
    });
    const got = await askChat(gateway.port);
    expect(got.status).toBe(429);
    expect(got.json()).toMatchObject({ error: { message: 'quota of main is used up' } });
    expect(got.header('retry-after')).toBe('9');
    expect(got.header('x-hive-target')).toBe('main');
  });

  test.each([[CHAT], ['/v1/messages']])('4c says whose error it passes on, on %s', async (path) => {
    await start(status(400, openAiError(400, 'no such thing')));
    const got = await askRaw(gateway.port, { path, body: chatBody({ max_tokens: 5 }) });
    expect([got.status, got.header('x-hive-target')]).toEqual([400, 'main']);
    const unknown = chatBody({ max_tokens: 5, model: 'no' });
    const own = await askRaw(gateway.port, { path, body: unknown });
    expect([own.status, own.header('x-hive-target')]).toEqual([404, null]);
  });

  test('4c an exhausted chain prefers an upstream’s own words to silence', async () => {
    other.script(stall());
    await start(status(503, openAiError(503, 'maintenance until noon')), {
      targets: { main: upstream.url, spare: other.url },
      timeouts: { first_token_ms: 300, total_ms: 1500 },
      resilience: RETRYING,
    });
    const got = await askChat(gateway.port);
    expect(got.status).toBe(503);
    expect(got.json()).toMatchObject({ error: { message: 'maintenance until noon' } });
  });
});
