import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ask, type RunningGateway } from '../gateway/gateway-kit.ts';
import { askRaw, openRaw, type RawAnswer, requestBytes, sendRaw } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  htmlError,
  openAiError,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { askChat, CHAT, chatBody, ONCE, serve } from './contract-kit.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (script: Behaviour) => {
  upstream.script(script);
  gateway = await serve({
    targets: { main: upstream.url },
    resilience: ONCE,
    body_bytes_max: 5000,
  });
};

/** One request a kind of answer. */
const KINDS: Readonly<Record<string, (port: number) => Promise<RawAnswer>>> = {
  'a whole answer': (port) => askChat(port),
  'a stream': (port) => askChat(port, chatBody({ stream: true })),
  'bad JSON': (port) => askChat(port, '{'),
  'an unknown model': (port) => askChat(port, chatBody({ model: 'no/such' })),
  'a body over the limit': (port) => askChat(port, chatBody({ pad: 'x'.repeat(9000) })),
  'a route that is none': (port) => askRaw(port, { path: '/v1/nothing' }),
  'a route outside /v1': (port) => askRaw(port, { path: '/nothing' }),
  'a wrong method': (port) => askRaw(port, { path: CHAT }),
  'a wrong Host': (port) => askRaw(port, { path: CHAT, headers: { host: 'evil.example' } }),
  'the models': (port) => askRaw(port, { path: '/v1/models' }),
  'a model that is none': (port) => askRaw(port, { path: '/v1/models/none' }),
  health: (port) => askRaw(port, { path: '/health' }),
  'no HTTP': (port) => sendRaw(port, 'what is this\r\n\r\n'),
  'headers over the limit': (port) =>
    askRaw(port, { path: CHAT, headers: { 'x-long': 'x'.repeat(40_000) } }),
};

describe('4b Response headers', () => {
  test.each(Object.keys(KINDS))('4b x-request-id is on %s', async (kind) => {
    await start(answer('ok'));
    const got = await (KINDS[kind] as (port: number) => Promise<RawAnswer>)(gateway.port);
    expect(got.header('x-request-id')).toMatch(/^[\x21-\x7e]{1,128}$/);
    expect(got.header('x-hive-call-id')).toMatch(/^call_[0-9a-f-]{36}$/);
    // What was never read as a request has cost no time of its own.
    if (kind === 'no HTTP' || kind === 'headers over the limit') return;
    expect(got.header('x-hive-overhead-ms')).toMatch(/^\d+(\.\d+)?$/);
  });

  test('4b x-request-id is on an upstream’s failure and read by the SDK', async () => {
    await start(htmlError(503));
    const failing = gateway.client.chat.completions.create(ask());
    await expect(failing).rejects.toMatchObject({ requestID: expect.stringMatching(/^call_/) });
  });

  test('4b honours a valid x-request-id and replaces any other', async () => {
    await start(answer('ok'));
    const mine = await askChat(gateway.port, chatBody(), { 'x-request-id': 'mine-1' });
    expect(mine.header('x-request-id')).toBe('mine-1');
    for (const bad of ['with space', 'x'.repeat(200), 'käse']) {
      const got = await askChat(gateway.port, chatBody(), { 'x-request-id': bad });
      expect(got.header('x-request-id')).toMatch(/^call_/);
    }
  });

  test('4b openai-processing-ms and x-hive-overhead-ms are on all answers', async () => {
    await start(answer('ok'));
    const kinds = [
      await askChat(gateway.port),
      await askChat(gateway.port, chatBody({ stream: true })),
      await askChat(gateway.port, '{'),
    ];
    for (const got of kinds) {
      expect(got.header('openai-processing-ms')).toMatch(/^\d+$/);
      expect(got.header('x-hive-overhead-ms')).toMatch(/^\d+(\.\d+)?$/);
    }
  });

  test.each([false, true])('4b passes x-ratelimit-* through, streamed: %s', async (streamed) => {
    const limits = {
      'x-ratelimit-limit-requests': '5000',
      'x-ratelimit-remaining-requests': '4999',
      'x-ratelimit-reset-requests': '12ms',
      'x-ratelimit-limit-tokens': '160000',
      'x-ratelimit-remaining-tokens': '159976',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    const whole: Behaviour = status(200, { ...COMPLETION }, limits);
    await start(streamed ? stream(['one'], { headers: limits }) : whole);
    const got = await askChat(gateway.port, chatBody({ stream: streamed }));
    for (const [name, value] of Object.entries(limits)) expect(got.header(name)).toBe(value);
  });

  test.each([429, 400, 503, 401])('4b passes x-ratelimit-* through on a %d', async (code) => {
    const limits = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' };
    await start(status(code, openAiError(code), { ...limits, 'x-other': 'theirs' }));
    const got = await askChat(gateway.port);
    // A refusal of our own credentials is the operator's business, with all that came with it.
    const passed = code !== 401;
    expect(got.status).toBe(passed ? code : 502);
    for (const [name, value] of Object.entries(limits)) {
      expect(got.header(name)).toBe(passed ? value : null);
    }
    expect(got.header('x-other')).toBeNull();
  });

  test.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after-ms': '1500' }, 1500],
    [{ 'retry-after': '9', 'retry-after-ms': '8500' }, 8500],
  ])('4b forwards a provider’s %o on 429', async (headers, wait_ms) => {
    await start(status(429, openAiError(429, 'slow down'), headers));
    const got = await askChat(gateway.port);
    expect(got.status).toBe(429);
    expect(Number(got.header('retry-after-ms'))).toBe(wait_ms);
    expect(Number(got.header('retry-after'))).toBe(Math.ceil(wait_ms / 1000));
    expect(got.header('x-should-retry')).not.toBe('false');
    expect(got.json()).toMatchObject({ error: { message: 'slow down' } });
  });

  test('4b forwards a provider’s retry-after that is an HTTP date', async () => {
    const date = new Date(Date.now() + 20_000).toUTCString();
    await start(status(429, openAiError(429), { 'retry-after': date }));
    const wait_s = Number((await askChat(gateway.port)).header('retry-after'));
    expect(wait_s).toBeGreaterThan(15);
    expect(wait_s).toBeLessThanOrEqual(20);
  });

  test('4b sets retry-after and retry-after-ms on a 503 of its own', async () => {
    upstream.script(stall());
    gateway = await serve({
      targets: { main: upstream.url },
      resilience: { ...ONCE, overload: { in_flight: 1, queue_ms: 20 } },
      timeouts: { first_token_ms: 5000 },
    });
    const known = upstream.calls.length;
    const waiting = await openRaw(gateway.port, requestBytes({ path: CHAT, body: chatBody() }));
    await until(() => upstream.calls[known], { what: 'the first call to reach the upstream' });
    const got = await askChat(gateway.port);
    waiting.socket.destroy();
    expect([429, 503]).toContain(got.status);
    expect(Number(got.header('retry-after'))).toBeGreaterThan(0);
    expect(Number(got.header('retry-after-ms'))).toBeGreaterThan(0);
    expect(got.header('x-should-retry')).not.toBe('false');
  });

  test.each([
    ['bad JSON', 400],
    ['an unknown model', 404],
    ['a body over the limit', 413],
    ['a wrong method', 405],
  ])('4b says x-should-retry: false on %s', async (kind, code) => {
    await start(answer('ok'));
    const got = await (KINDS[kind] as (port: number) => Promise<RawAnswer>)(gateway.port);
    expect(got.status).toBe(code);
    expect(got.header('x-should-retry')).toBe('false');
  });

  test('4b streams with the headers that keep everything from holding them back', async () => {
    await start(stream(['one', 'two'], { headers: { 'x-upstream': 'private' } }));
    const got = await askChat(gateway.port, chatBody({ stream: true }), {
      'accept-encoding': 'gzip, deflate, br, zstd',
    });
    expect(got.header('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(got.header('cache-control')).toBe('no-cache');
    expect(got.header('x-accel-buffering')).toBe('no');
    expect(got.header('content-length')).toBeNull();
    expect(got.header('content-encoding')).toBeNull();
    expect(got.header('x-upstream')).toBeNull();
    expect(got.whole).toBe(true);
  });

  test('4b answers whole with a length of its own and no coding', async () => {
    await start(status(200, COMPLETION, { 'x-upstream': 'private', 'set-cookie': 'a=b' }));
    const got = await askChat(gateway.port, chatBody(), { 'accept-encoding': 'gzip' });
    expect(Number(got.header('content-length'))).toBe(got.body.length);
    expect(got.header('content-encoding')).toBeNull();
    expect(got.header('set-cookie')).toBeNull();
    expect(got.header('x-upstream')).toBeNull();
  });
});

const COMPLETION = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
