import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.ts';
import type { DecodedChunk, UpstreamFailure } from '../../../src/core/provider.ts';
import { createHeldBytes } from '../../../src/gateway/bytes/held-bytes.ts';
import { failed } from '../../../src/gateway/upstream/failures.ts';
import { holdStream, type StreamSource } from '../../../src/gateway/upstream/hold.ts';
import type { StreamConsumer } from '../../../src/gateway/upstream/live-stream.ts';
import { until } from '../../kit/until.ts';
import { answer, startUpstream, stream, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makeSnapshot, type ResilienceSpec } from '../snapshot.ts';

const chunk = (text: string): DecodedChunk => ({
  event: Buffer.from(text),
  done: false,
  usage_only: false,
  error: null,
  facts: {},
  content: true,
  empty: false,
  malformed: false,
});

/** A live stream that the test plays. */
const playStream = () => {
  const heard = { paused: false, abandoned: false };
  let consumer: StreamConsumer | null = null;
  const source: StreamSource = {
    tokens: null,
    attach(given) {
      consumer = given;
    },
    pause() {
      heard.paused = true;
    },
    resume() {
      heard.paused = false;
    },
    abandon() {
      heard.abandoned = true;
    },
  };
  const give = (...texts: string[]) => consumer?.onChunks(texts.map(chunk));
  const end = (failure: UpstreamFailure | null = null) => consumer?.onEnd(failure);
  return { source, heard, give, end };
};
const plenty = createHeldBytes(createMetrics()).open(1e9);
const reader = () => {
  const got: string[] = [];
  const ends: (UpstreamFailure | null)[] = [];
  const consumer: StreamConsumer = {
    onChunks: (chunks) => void got.push(...chunks.map(({ event }) => String(event))),
    onEnd: (failure) => void ends.push(failure),
  };
  return { consumer, got, ends };
};

describe('holdStream', () => {
  test('holdStream gives a complete stream out as it came', async () => {
    const { source, give, end } = playStream();
    const holding = holdStream(source, 1000, plenty);
    give('a', 'b');
    give('c');
    end();
    const held = await holding;
    if (held.kind !== 'complete') throw new Error(held.kind);
    const { consumer, got, ends } = reader();
    held.source.attach(consumer);
    expect(got.join('')).toBe('abc');
    expect(ends).toEqual([null]);
  });

  test('holdStream says why a stream was cut, and gives nothing out', async () => {
    const { source, give, end } = playStream();
    const holding = holdStream(source, 1000, plenty);
    give('a');
    const failure = failed('upstream_cut', 'cut');
    end(failure);
    expect(await holding).toEqual({ kind: 'cut', failure });
  });

  test('holdStream lets a stream go that grows too long, and loses none of it', async () => {
    const { source, heard, give, end } = playStream();
    const holding = holdStream(source, 3, plenty);
    give('aa');
    give('bb');
    expect(heard.paused).toBe(true);
    const held = await holding;
    if (held.kind !== 'overflow') throw new Error(held.kind);
    give('cc');
    const { consumer, got, ends } = reader();
    held.source.attach(consumer);
    expect(heard.paused).toBe(false);
    give('dd');
    const failure = failed('upstream_cut', 'cut');
    end(failure);
    expect(got.join('')).toBe('aabbccdd');
    expect(ends).toEqual([failure]);
  });

  test('holdStream lets a stream go where all calls together hold too much', async () => {
    const { source, give } = playStream();
    const bytes = createHeldBytes(createMetrics());
    const other = bytes.open(10);
    other.take(8);
    const account = bytes.open(10);
    const holding = holdStream(source, 1000, account);
    give('aa');
    give('b');
    expect((await holding).kind).toBe('overflow');
    account.release();
    other.release();
    expect(bytes.open(10).take(10)).toBe(true);
  });

  test('holdStream gives out no faster than it is read', async () => {
    const { source, give, end } = playStream();
    const holding = holdStream(source, 1_000_000, plenty);
    give(...Array.from({ length: 1000 }, () => 'x'));
    end();
    const held = await holding;
    if (held.kind !== 'complete') throw new Error(held.kind);
    const { consumer, got, ends } = reader();
    const slow: StreamConsumer = {
      onChunks(chunks) {
        consumer.onChunks(chunks);
        held.source.pause();
      },
      onEnd: (failure) => consumer.onEnd(failure),
    };
    held.source.attach(slow);
    let turns = 1;
    for (; ends.length === 0; turns += 1) {
      expect(got.length).toBeLessThanOrEqual(turns * 64);
      held.source.resume();
    }
    expect(got).toHaveLength(1000);
    expect(turns).toBeGreaterThan(10);
  });
});

describe('a held call', () => {
  let first: Upstream;
  let second: Upstream;
  let gateway: RunningGateway;
  beforeAll(async () => {
    [first, second] = await Promise.all([startUpstream(), startUpstream()]);
  });
  afterEach(() => gateway.close());
  afterAll(() => Promise.all([first.close(), second.close()]));

  const start = async (resilience: ResilienceSpec = { midstream: 'hold' }, entry = {}) => {
    const targets = { first: first.url, second: second.url };
    const agents = { default: { entry } };
    gateway = await startGateway(makeSnapshot({ targets, resilience, agents }));
    second.script(answer('whole and well'));
  };
  const streamed = async () => (await gateway.post(ask('hi', { stream: true }))).text();

  test.each(['cut', 'reset', 'silent'] as const)(
    'a held call that breaks off (%s) falls over unseen',
    async (end) => {
      await start();
      first.script(stream(['half an ', 'answer'], { end }));
      const text = await streamed();
      expect(text).toContain('whole ');
      expect(text).not.toContain('half');
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(await gateway.event()).toMatchObject({
        outcome: 'ok',
        served: 'second',
        attempts: [
          { target: 'first', outcome: 'error' },
          { target: 'second', outcome: 'ok' },
        ],
      });
    },
  );

  test('a held call of one agent leaves the others’ as they are', async () => {
    await start({}, { midstream: 'hold' });
    first.script(stream(['half'], { end: 'cut' }));
    expect(await streamed()).toContain('whole');
  });

  test('a held call sends nothing before its end, and then all', async () => {
    await start();
    const sent = { all: false };
    first.script(async (exchange) => {
      await stream(['one ', 'two '], { delay_ms: 50 })({ ...exchange });
      sent.all = true;
    });
    const response = await gateway.post(ask('hi', { stream: true }));
    expect(sent.all).toBe(true);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(await response.text()).toContain('two ');
    expect(gateway.gateway.liveTargets().first).toMatchObject({ in_flight: 0 });
  });

  test('a held call that grows too long is passed on, and a cut is told', async () => {
    await start({ midstream: 'hold', hold_bytes_max: 2000 });
    const words = Array.from({ length: 50 }, (_, index) => `word${index} `);
    first.script(stream(words, { end: 'cut' }));
    const text = await streamed();
    expect(text).toContain('word0 ');
    expect(text).toContain('"error":{');
    expect(text).not.toContain('whole');
    const [series] = gateway.metrics.snapshot().hive_held_total ?? [];
    expect(series).toMatchObject({ labels: ['overflow'], value: 1 });
  });

  test('a held call that the client leaves ends at the upstream', async () => {
    await start();
    first.script(stream(['one '], { end: 'stall' }));
    const known = first.calls.length;
    const leaving = new AbortController();
    const calling = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(ask('hi', { stream: true })),
      signal: leaving.signal,
    });
    await until(() => gateway.gateway.liveTargets().first?.in_flight, { what: 'the attempt' });
    await until(() => first.calls[known], { what: 'the call' });
    leaving.abort();
    await expect(calling).rejects.toThrow();
    await until(() => first.calls[known]?.aborted, { deadline_ms: 1000, what: 'the upstream' });
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'aborted', attempts: [{ outcome: 'aborted' }] });
  });
});
