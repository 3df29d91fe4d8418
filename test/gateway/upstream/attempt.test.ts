import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.ts';
import type { Provider } from '../../../src/core/provider.ts';
import { type Account, createHeldBytes } from '../../../src/gateway/bytes/held-bytes.ts';
import { startAttempt } from '../../../src/gateway/upstream/attempt.ts';
import { failed } from '../../../src/gateway/upstream/failures.ts';
import type { Outgoing, Sink, Upstream } from '../../../src/gateway/upstream/upstream.ts';
import { makeSnapshot, openAiAt } from '../snapshot.ts';

interface Given {
  /** What sending it comes to. */
  readonly fault?: Error;
  readonly left_ms?: number;
  readonly first_token_ms?: number;
  readonly provider?: Provider;
  readonly hold?: () => Account;
}

/** An upstream without a network: the test plays its part through the sink. */
const start = (stream: boolean, more: Given = {}) => {
  const heard: { sink: Sink | null; sent: Outgoing | null; aborted: number } = {
    sink: null,
    sent: null,
    aborted: 0,
  };
  const upstream: Upstream = {
    send(sent, sink) {
      if (more.fault) throw more.fault;
      heard.sent = sent;
      heard.sink = sink;
      const abort = () => {
        heard.aborted += 1;
      };
      return { abort, pause() {}, resume() {} };
    },
    close: async () => {},
  };
  const provider = more.provider ?? openAiAt('https://api.example:8443/base/v1');
  const first_token_ms = more.first_token_ms ?? 5000;
  const target = makeSnapshot({
    targets: { main: { provider, timeouts: { first_token_ms } } },
  }).targets.get('main');
  if (!target) throw new Error('no target');
  const request = {
    method: 'POST' as const,
    path: '/base/v1/x',
    headers: { a: 'b' },
    body: Buffer.from('{}'),
  };
  const late = { ...failed('upstream_timeout', 'late'), counts: false };
  const spec = {
    target,
    endpoint: 'chat.completions' as const,
    stream,
    created_s: 0,
    call_id: 'call_1',
    include_usage: false,
    adapter: null,
    request,
    left_ms: more.left_ms ?? 60_000,
    late,
    ...(more.hold ? { hold: more.hold } : {}),
  };
  const running = startAttempt(upstream, spec);
  return { running, heard, sink: heard.sink as unknown as Sink };
};
const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream; charset=utf-8' };
const completion = JSON.stringify({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, message: {}, finish_reason: 'stop' }],
});

test('an attempt goes to its provider’s base URL, and nowhere else', () => {
  const { heard, running } = start(false);
  expect(heard.sent).toMatchObject({
    base_url: 'https://api.example:8443/base/v1',
    path: '/base/v1/x',
    headers: { a: 'b' },
  });
  running.abort();
});

test('an attempt that cannot even be sent leaves no timer that would fail for it later', () => {
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  const before = timers();
  expect(() => start(false, { fault: new Error('another host') })).toThrow('another host');
  expect(timers()).toBe(before);
});

test('an attempt puts a whole answer together from its parts', async () => {
  const { running, sink } = start(false);
  sink.onHeaders(200, json);
  for (const part of completion.match(/.{1,7}/g) ?? []) sink.onData(Buffer.from(part));
  sink.onEnd();
  const result = await running.result;
  expect(result).toMatchObject({
    kind: 'whole',
    status: 200,
    facts: { completion_id: 'c', finish: 'stop' },
  });
  expect(result.kind === 'whole' && Buffer.from(result.body).toString()).toBe(completion);
});

const nextTurn = (): Promise<void> => new Promise((next) => void setImmediate(next));

/** Turns of the event loop until it has a result. */
async function turnsUntil(result: Promise<unknown>): Promise<number> {
  let over = false;
  void result.finally(() => {
    over = true;
  });
  let turns = 0;
  for (; !over; turns += 1) await nextTurn();
  return turns;
}

const large = (more: object, content = 'y'.repeat(4_000_000)): Buffer => {
  const choices = [{ index: 0, message: { content }, finish_reason: 'stop' }];
  const numbers = Array.from({ length: 500_000 }, (_, at) => at);
  const usage = { prompt_tokens: 1, completion_tokens: 2 };
  return Buffer.from(JSON.stringify({ id: 'c', choices, numbers, ...more, usage }));
};

test('an attempt reads a large answer over several turns, and passes it on as is', async () => {
  const { running, sink } = start(false);
  const body = large({});
  sink.onHeaders(200, json);
  sink.onData(body);
  sink.onEnd();
  expect(await turnsUntil(running.result)).toBeGreaterThan(5);
  const result = await running.result;
  const facts = { completion_id: 'c', finish: 'stop', tokens: { in: 1, out: 2 } };
  expect(result).toMatchObject({ kind: 'whole', status: 200, facts });
  expect(result.kind === 'whole' && result.body === body).toBe(true);
});

test('an attempt tells of a large answer that is an error, or none, as of small ones', async () => {
  for (const [body, message] of [
    [large({ error: { message: 'ill' } }), 'ill'],
    [large({}).subarray(0, 4_500_000), 'its body is not a JSON object'],
    [Buffer.concat([large({}), Buffer.from('}')]), 'its body is not a JSON object'],
    [large({ choices: 1 }), 'has no choices'],
  ] as const) {
    const { running, sink } = start(false);
    sink.onHeaders(200, json);
    sink.onData(body);
    sink.onEnd();
    const result = await running.result;
    expect(result).toMatchObject({ kind: 'failed' });
    expect(result.kind === 'failed' && result.failure.message).toContain(message);
  }
});

test('an attempt that is given up while it reads a large answer says nothing more', async () => {
  const { running, sink } = start(false);
  sink.onHeaders(200, json);
  sink.onData(large({}));
  sink.onEnd();
  running.abort();
  let told = false;
  void running.result.finally(() => {
    told = true;
  });
  for (let turns = 0; turns < 50; turns += 1) await nextTurn();
  expect(told).toBe(false);
});

test.each([
  [
    'an answer that is not the gzip it says it is',
    false,
    200,
    { ...json, 'content-encoding': 'gzip' },
  ],
  ['an answer in two codings', false, 200, { ...json, 'content-encoding': 'gzip, br' }],
  ['a stream to a whole call', false, 200, events],
  ['a whole answer to a stream', true, 200, json],
  ['a redirect', false, 302, { location: 'http://evil.example/' }],
])('an attempt refuses %s', async (_name, stream, status, headers) => {
  const { running, sink } = start(stream);
  sink.onHeaders(status, headers);
  sink.onData(Buffer.from(completion));
  sink.onEnd();
  expect(await running.result).toMatchObject({
    kind: 'failed',
    failure: { code: 'upstream_error', retryable: true, counts: true },
  });
});

test.each([
  ['before the headers', false, 'upstream_unreachable'],
  ['after the headers', true, 'upstream_cut'],
])('an attempt whose connection breaks %s fails as %s', async (_name, answering, code) => {
  const { running, sink } = start(false);
  if (answering) sink.onHeaders(200, json);
  const error = Object.assign(new Error('connect 10.0.0.1:443'), { code: 'ECONNRESET' });
  sink.onError(error);
  const result = await running.result;
  expect(result).toMatchObject({ kind: 'failed', failure: { code } });
  expect(JSON.stringify(result)).not.toContain('10.0.0.1');
});

test('an attempt is given up when the call’s time is over', async () => {
  const { running, heard } = start(false, { left_ms: 20 });
  expect(await running.result).toMatchObject({ failure: { message: 'late', counts: false } });
  expect(heard.aborted).toBe(1);
});

test('an attempt waits for a first token from when the request was sent', async () => {
  const { running, sink, heard } = start(true, { first_token_ms: 20 });
  sink.onSent();
  expect(await running.result).toMatchObject({
    failure: { code: 'upstream_timeout', counts: true },
  });
  expect(heard.aborted).toBe(1);
});

test('an attempt that streams fails when the call’s time is over amid its answer', async () => {
  const { running, sink } = start(true, { left_ms: 50 });
  sink.onHeaders(200, events);
  sink.onData(Buffer.from('data: {"choices":[{"delta":{"content":"a"}}]}\n\n'));
  const result = await running.result;
  if (result.kind !== 'stream') throw new Error('no stream');
  const ended = new Promise((resolve) => {
    result.stream.attach({ onChunks() {}, onEnd: resolve });
  });
  expect(await ended).toMatchObject({ message: 'late' });
});

test('an attempt counts a large answer while it comes, and ends one that is too much', async () => {
  const metrics = createMetrics();
  const bytes = createHeldBytes(metrics);
  const held = (): number => metrics.snapshot().hive_held_bytes?.[0]?.value ?? 0;
  const { running, heard, sink } = start(false, { hold: () => bytes.open(1_000_000) });
  sink.onHeaders(200, json);
  const part = Buffer.alloc(60_000, ' ');
  sink.onData(part);
  expect(held()).toBe(0);
  for (let parts = 0; parts < 10; parts += 1) sink.onData(part);
  expect(held()).toBe(600_000);
  for (let parts = 0; parts < 10; parts += 1) sink.onData(part);
  expect(await running.result).toMatchObject({
    kind: 'failed',
    failure: { code: 'overloaded', status: 503, retryable: false, counts: false },
  });
  expect(heard.aborted).toBeGreaterThan(0);
  expect(held()).toBe(0);
  const left = start(false, { hold: () => bytes.open(1_000_000) });
  left.sink.onHeaders(200, json);
  for (let parts = 0; parts < 3; parts += 1) left.sink.onData(part);
  expect(held()).toBe(120_000);
  left.running.abort();
  expect(held()).toBe(0);
});

test.each([false, true])(
  'an attempt whose provider fails at an answer fails, and nothing else (packed: %s)',
  async (packed) => {
    const fault = (): never => {
      throw new Error('a mistake of ours');
    };
    const provider: Provider = {
      ...openAiAt('https://api.example/v1'),
      decode: fault,
      openStream: () => ({ decode: fault }),
    };
    const coding = packed ? { 'content-encoding': 'gzip' } : {};
    for (const [streamed, type, text] of [
      [false, json, completion],
      [true, events, 'data: {}\n\n'],
    ] as const) {
      const { running, sink } = start(streamed, { provider });
      sink.onHeaders(200, { ...type, ...coding });
      sink.onData(packed ? gzipSync(text) : Buffer.from(text));
      sink.onEnd();
      const failure = { code: 'upstream_error', message: 'The upstream’s answer cannot be read.' };
      expect(await running.result).toMatchObject({ kind: 'failed', failure });
    }
  },
);
