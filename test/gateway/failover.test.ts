import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  answer,
  type Behaviour,
  delayed,
  malformedChunk,
  openAiError,
  reset,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { createHandClock } from './hand-clock.ts';
import { makeSnapshot, type SnapshotSpec } from './snapshot.ts';

/**
 * The sixteen faults that gateways are compared by, over real sockets: what the client gets, and
 * what reaches the upstreams. Waits are scaled down with the time-outs of the policy.
 */
let primary: Upstream;
let backup: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [primary, backup] = await Promise.all([startUpstream(), startUpstream()]);
});
beforeEach(() => {
  primary.script(answer('from the primary'));
  backup.script(answer('from the backup'));
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([primary.close(), backup.close()]));

const start = async (more: Partial<SnapshotSpec> = {}) => {
  const targets = { primary: primary.url, backup: backup.url };
  gateway = await startGateway(makeSnapshot({ targets, ...more }));
};
/** What one call comes to, and how often each upstream was asked for it. */
const call = async (script: Behaviour | readonly Behaviour[], more: object = {}) => {
  primary.script(script);
  const before = [primary.calls.length, backup.calls.length] as const;
  const response = await gateway.post(ask('hi', { ...more }));
  const text = await response.text();
  const asked = [primary.calls.length - before[0], backup.calls.length - before[1]];
  return { status: response.status, headers: response.headers, text, asked };
};
const streamed = (script: Behaviour | readonly Behaviour[]) => call(script, { stream: true });
/** Only the one that is to be late has little time: a busy machine must not make others late. */
const hurried = () => ({
  targets: {
    primary: { url: primary.url, timeouts: { first_token_ms: 80 } },
    backup: { url: backup.url, timeouts: { first_token_ms: 9000 } },
  },
});
const alone = () => ({ targets: { primary: primary.url } });
const failures = () => gateway.event().then(({ attempts }) => attempts.map(({ error }) => error));

describe('failover', () => {
  test('S01 a 429 with retry-after is honoured, and its target left alone meanwhile', async () => {
    await start();
    const first = await call(status(429, undefined, { 'retry-after': '30' }));
    expect(first).toMatchObject({ status: 200, asked: [1, 1] });
    const second = await call(answer('too early'));
    expect(second.asked).toEqual([0, 1]);
    expect(gateway.gateway.liveTargets().primary).toMatchObject({
      breaker: 'closed',
      limited: true,
    });
  });

  test('S01 a 429 of the only target reaches the client with its retry-after', async () => {
    await start(alone());
    const first = await call(status(429, undefined, { 'retry-after': '7' }));
    expect(first).toMatchObject({ status: 429, asked: [1, 0] });
    expect(first.headers.get('retry-after')).toBe('7');
    const second = await call(answer('too early'));
    expect(second).toMatchObject({ status: 429, asked: [0, 0] });
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(6);
    expect(Number(second.headers.get('retry-after-ms'))).toBeGreaterThan(5000);
    expect(second.headers.get('x-should-retry')).not.toBe('false');
    // What a provider does not allow is the failure of the arm that needs it, asked or not.
    expect(await gateway.event(2)).toMatchObject({
      outcome: 'error',
      arm_error: true,
      attempts: [],
    });
  });

  test('S02 a 429 without retry-after is tried again after a pause', async () => {
    await start(alone());
    expect(await call([status(429), answer('now')])).toMatchObject({ status: 200, asked: [2, 0] });
  });

  test('S03 a single 500 is unseen by the client', async () => {
    await start(alone());
    expect(await call([status(500), answer('now')])).toMatchObject({ status: 200, asked: [2, 0] });
  });

  test('S04 a 503 goes to the next target', async () => {
    await start();
    const { text, asked } = await call(status(503));
    expect(text).toContain('from the backup');
    expect(asked).toEqual([1, 1]);
  });

  test('S05 a reset goes to the next target', async () => {
    await start();
    expect(await streamed(reset())).toMatchObject({ status: 200, asked: [1, 1] });
    expect(await call(reset('after-headers'))).toMatchObject({ status: 200, asked: [1, 1] });
  });

  test('S05 a target that hangs up as it is asked again is asked once more', async () => {
    await start(alone());
    expect(await call(answer('first'))).toMatchObject({ status: 200, asked: [1, 0] });
    expect(await call([reset(), answer('now')])).toMatchObject({ status: 200, asked: [2, 0] });
  });

  test('S06 a silent target is given up at its time-out, and not asked again', async () => {
    await start(hurried());
    expect(await streamed(stall())).toMatchObject({ status: 200, asked: [1, 1] });
  });

  test('S06 the only target is not asked again where it was silent', async () => {
    await start({ ...alone(), timeouts: { first_token_ms: 80 } });
    expect(await streamed(stall())).toMatchObject({ status: 504, asked: [1, 0] });
  });

  test('S07 a first token that takes too long is somebody else’s', async () => {
    await start(hurried());
    const { text, asked } = await streamed(delayed(5000, answer('late')));
    expect(text).toContain('backup');
    expect(asked).toEqual([1, 1]);
    expect(await failures()).toEqual(['upstream_timeout', null]);
  });

  test('S08 a stream cut amid its answer ends in an error event, never spliced', async () => {
    await start();
    const { text, asked } = await streamed(stream(['one ', 'two '], { end: 'cut' }));
    expect(text).toContain('"one "');
    expect(text).toContain('"error":{');
    expect(text).not.toContain('[DONE]');
    expect(asked).toEqual([1, 0]);
    expect(await gateway.event()).toMatchObject({ outcome: 'error', arm_error: true });
  });

  test('S09 a stream that stalls amid its answer ends in an error event', async () => {
    await start({ timeouts: { idle_ms: 60 } });
    const { text } = await streamed(stream(['one '], { end: 'stall' }));
    expect(text).toContain('"code":"upstream_timeout"');
    expect(text).not.toContain('[DONE]');
  });

  test('S10 a chunk that is not JSON is not passed on', async () => {
    await start();
    const { text } = await streamed(malformedChunk());
    const data = text.split('\n').filter((line) => line.startsWith('data: '));
    expect(data.map((line) => JSON.parse(line.slice(6)) as object).at(-1)).toHaveProperty('error');
  });

  test('S11 a complete stream without [DONE] is complete', async () => {
    await start();
    const { text } = await streamed(stream(['one '], { end: 'no-done' }));
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(await gateway.event()).toMatchObject({ outcome: 'ok' });
  });

  const tooLong = status(400, {
    error: {
      message: 'This model’s maximum context length is 8 tokens.',
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
  });

  test('S12 a prompt too long goes to a larger model, and to no other', async () => {
    const larger = await startUpstream(answer('from the larger'));
    const targets = { primary: primary.url, backup: backup.url, larger: larger.url };
    const entry = { targets: { primary: 1, backup: 1 }, fallbacks: { context_length: ['larger'] } };
    const agents = { default: { targets: ['primary', 'backup'], entry } };
    await start({ targets, agents });
    const { text, asked } = await call(tooLong);
    expect(text).toContain('from the larger');
    expect(text).toContain('model-larger');
    expect(asked).toEqual([1, 0]);
    expect(await gateway.event()).toMatchObject({ served: 'larger', arm_error: true });
    await larger.close();
  });

  test('S12 a prompt too long for all is the client’s to shorten, after one try', async () => {
    await start();
    const { status: code, text, asked } = await call(tooLong);
    expect(code).toBe(400);
    expect(text).toContain('context_length_exceeded');
    expect(asked).toEqual([1, 0]);
  });

  test('S13 a content filter is a clean error, and nobody else is asked', async () => {
    await start();
    const error = { message: 'no', type: 'x', param: null, code: 'content_policy_violation' };
    expect(await call(status(400, { error }))).toMatchObject({ status: 400, asked: [1, 0] });
  });

  test('S14 a request that the provider rejects is told as it was said, once', async () => {
    await start();
    const message = 'This model does not support assistant message prefill.';
    const { status: code, text, asked } = await call(status(400, openAiError(400, message)));
    expect(code).toBe(400);
    expect(text).toContain(message);
    expect(asked).toEqual([1, 0]);
  });

  test('S15 a dead primary costs 4 attempts in 15 calls, and is back within 5 s', async () => {
    const time = createHandClock();
    const breaker = { errors: 0.5, calls_min: 20, failures: 3, open_ms: 10_000 };
    const targets = { primary: primary.url, backup: backup.url };
    const snapshot = makeSnapshot({ targets, resilience: { breaker } });
    gateway = await startGateway(snapshot, { clock: time.clock });
    for (let one = 0; one < 3; one += 1) {
      await call(answer('well'));
      time.advance(4000);
    }
    const before = primary.calls.length;
    for (let one = 0; one < 15; one += 1) {
      expect((await call(status(503))).status).toBe(200);
      time.advance(4000);
    }
    expect(primary.calls.length - before).toBeLessThanOrEqual(4);
    let waited_ms = 0;
    for (; (await call(answer('well again'))).asked[0] === 0; waited_ms += 1000) time.advance(1000);
    expect(waited_ms).toBeLessThanOrEqual(5000);
    expect(gateway.gateway.liveTargets().primary?.breaker).toBe('closed');
  });

  test('S16 what the fallback answered is accounted to the fallback', async () => {
    await start();
    const { headers, text } = await call(status(500));
    const { usage, model } = JSON.parse(text) as { usage: Record<string, number>; model: string };
    expect(model).toBe('model-backup');
    expect(headers.get('x-hive-target')).toBe('backup');
    expect(await gateway.event()).toMatchObject({
      served: 'backup',
      tokens: { in: usage.prompt_tokens, out: usage.completion_tokens, estimated: false },
      attempts: [
        { target: 'primary', outcome: 'error' },
        { target: 'backup', outcome: 'ok' },
      ],
    });
  });
});

describe('failover beyond the sixteen', () => {
  test('failover in a storm stays within the retry budget', async () => {
    await start({ resilience: { retry: { retries: 2, budget: 0.2, backoff_ms: [1, 2] } } });
    backup.script(status(503));
    const before = primary.calls.length + backup.calls.length;
    primary.script(status(503));
    const codes = await Promise.all(
      Array.from({ length: 100 }, async () => (await gateway.post(ask())).status),
    );
    expect(codes.every((code) => code === 503)).toBe(true);
    expect(primary.calls.length + backup.calls.length - before).toBeLessThanOrEqual(120);
  });

  test('failover on refused credentials goes on, and tells an operator once', async () => {
    await start();
    for (let one = 0; one < 2; one += 1) {
      expect(await call(status(401))).toMatchObject({ status: 200, asked: [1, 1] });
    }
    expect(gateway.lines).toEqual([
      {
        message: 'a provider refuses our credentials',
        fields: { target: 'primary', provider: 'scripted' },
      },
    ]);
    const [series] = gateway.metrics.snapshot().hive_provider_refused_total ?? [];
    expect(series).toMatchObject({ labels: ['primary'], value: 2 });
  });

  test('failover does not show refused credentials to the same target again', async () => {
    await start(alone());
    const { status: code, text, asked } = await call(status(401));
    expect(code).toBe(502);
    expect(text).toContain('Target primary, provider scripted: ');
    expect(text).toContain('credentials');
    expect(asked).toEqual([1, 0]);
  });

  test('failover takes the agent’s fallbacks before it asks the same target again', async () => {
    const entry = { targets: { primary: 1 }, fallbacks: { any: ['backup'] } };
    await start({ agents: { default: { targets: ['primary'], entry } } });
    expect(await call(status(500))).toMatchObject({ status: 200, asked: [1, 1] });
    const event = await gateway.event();
    expect(event).toMatchObject({ served: 'backup', arm_error: true });
  });
});
