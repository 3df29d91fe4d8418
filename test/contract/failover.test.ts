import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  malformedChunk,
  openAiError,
  reset,
  type Script,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { askChat, chatBody, chunksOf, dataOf, serve, textOf } from './contract-kit.ts';

/** The sixteen faults of failoverbench, with its seconds shrunk to milliseconds. */
let primary: Upstream;
let fallback: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [primary, fallback] = await Promise.all([
    startUpstream(),
    startUpstream(answer('from fallback')),
  ]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([primary.close(), fallback.close()]));

type Spec = Parameters<typeof serve>[0];

const start = async (script: Script, more: Partial<Spec> = {}) => {
  primary.script(script);
  gateway = await serve({
    targets: { primary: primary.url, fallback: fallback.url },
    agents: {
      default: {
        targets: ['primary', 'fallback'],
        entry: { targets: { primary: 1, fallback: 0 } },
      },
    },
    timeouts: { first_token_ms: 400, idle_ms: 400, total_ms: 9000 },
    ...more,
  });
};
const counted = async <Value>(run: () => Promise<Value>) => {
  const [before, spare] = [primary.calls.length, fallback.calls.length];
  const value = await run();
  const [primary_calls, fallback_calls] = [primary.calls.length, fallback.calls.length];
  return { value, primary: primary_calls - before, fallback: fallback_calls - spare };
};
const whole = () => askChat(gateway.port);
const streamed = () => askChat(gateway.port, chatBody({ stream: true }));
const contentOf = (body: Buffer) =>
  (JSON.parse(body.toString()) as { choices: { message: { content: string } }[] }).choices[0]
    ?.message.content;
const contextLength = status(400, {
  error: {
    message: "This model's maximum context length is 8192 tokens.",
    type: 'invalid_request_error',
    param: 'messages',
    code: 'context_length_exceeded',
  },
});
const contentFilter = status(400, {
  error: {
    message: 'The response was filtered.',
    type: 'invalid_request_error',
    param: 'prompt',
    code: 'content_filter',
  },
});

describe('4e failoverbench', () => {
  test.each<[string, Script]>([
    ['S01 429 without Retry-After', status(429)],
    [
      'S02 429 with a Retry-After that is long',
      status(429, openAiError(429), { 'retry-after': '60' }),
    ],
    ['S04 503', status(503)],
    ['S05 TCP reset', reset()],
    ['S06 silence', stall()],
    ['S07 a first token that is late', stream(['late'], { first_ms: 2000 })],
  ])('4e %s: the fallback answers', async (name, script) => {
    await start(script);
    const begun_ms = performance.now();
    const { value, primary: tries } = await counted(streamed);
    expect(value.status).toBe(200);
    expect(textOf(value.body)).toBe('from fallback');
    expect(dataOf(value.body).at(-1)).toBe('[DONE]');
    expect(value.header('x-hive-target')).toBe('fallback');
    expect(tries).toBeLessThanOrEqual(/silence|late/.test(name) ? 1 : 2);
    expect(performance.now() - begun_ms).toBeLessThan(3000);
  });

  test('4e S02 a Retry-After that is short is waited for where nobody else is there', async () => {
    const limited = status(429, openAiError(429), { 'retry-after-ms': '120' });
    const alone = { default: { targets: ['primary'] } };
    const resilience = { retry: { backoff_ms: [1, 500] as const } };
    await start([limited, answer('from primary')], { agents: alone, resilience });
    const begun_ms = performance.now();
    const { value, primary: tries } = await counted(whole);
    expect(contentOf(value.body)).toBe('from primary');
    expect(performance.now() - begun_ms).toBeGreaterThanOrEqual(119);
    expect(tries).toBe(2);
  });

  test('4e S03 500 once: answered, with at most one try more', async () => {
    await start([status(500), answer('from primary')]);
    const { value, primary: tries, fallback: spare } = await counted(whole);
    expect(value.status).toBe(200);
    expect(tries + spare).toBe(2);
  });

  test.each<[string, Behaviour]>([
    ['S08 a cut amid the stream', stream(['one ', 'two '], { end: 'cut' })],
    ['S09 a stall amid the stream', stream(['one ', 'two '], { end: 'stall' })],
    ['S10 a bad chunk', malformedChunk()],
  ])('4e %s: an error event, never a truncated success', async (_name, script) => {
    await start(script);
    const { value, fallback: spare } = await counted(streamed);
    expect(chunksOf(value.body).at(-1)?.error).toBeDefined();
    expect(value.body.toString()).not.toContain('[DONE]');
    expect(spare).toBe(0);
  });

  test('4e S11 no [DONE] after a finish_reason: complete', async () => {
    await start(stream(['one'], { end: 'no-done' }));
    const { value, primary: tries } = await counted(streamed);
    expect(dataOf(value.body).at(-1)).toBe('[DONE]');
    expect(tries).toBe(1);
  });

  test('4e S12 context length: the larger model answers, nobody else', async () => {
    await start(contextLength, {
      agents: {
        default: {
          targets: ['primary', 'fallback'],
          entry: {
            targets: { primary: 1, fallback: 0 },
            fallbacks: { context_length: ['fallback'] },
          } as never,
        },
      },
    });
    const { value, primary: tries } = await counted(whole);
    expect(contentOf(value.body)).toBe('from fallback');
    expect(tries).toBe(1);
  });

  test.each([false, true])(
    '4e S13 content filter: a clean error, nobody else asked',
    async (live) => {
      await start(contentFilter);
      const { value, primary: tries, fallback: spare } = await counted(live ? streamed : whole);
      expect(value.status).toBe(400);
      expect(value.json()).toMatchObject({ error: { code: 'content_filter' } });
      expect([tries, spare]).toEqual([1, 0]);
      expect(value.header('x-should-retry')).toBe('false');
    },
  );

  test('4e S14 a refused request is not sent again', async () => {
    await start(status(400, openAiError(400, 'prefill is not supported')));
    const { value, primary: tries, fallback: spare } = await counted(whole);
    expect(value.status).toBe(400);
    expect(value.json()).toMatchObject({ error: { message: 'prefill is not supported' } });
    expect([tries, spare]).toEqual([1, 0]);
  });

  test('4e S16 accounts for the fallback: its model and its usage', async () => {
    await start(status(503));
    const got = await whole();
    const body = JSON.parse(got.body.toString()) as { model: string; usage: object };
    expect(body.model).toBe('model-fallback');
    expect(body.usage).toMatchObject({ total_tokens: expect.any(Number) });
    const event = await gateway.event();
    expect(event).toMatchObject({
      served: 'fallback',
      outcome: 'ok',
      tokens: { estimated: false },
    });
    await until(() => event.attempts.length > 1, { what: 'both attempts on the record' });
  });
});
