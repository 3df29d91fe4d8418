import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hedged, type Running } from '../../src/gateway/hedge.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  delayed,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { createHandClock } from './hand-clock.ts';
import { makeSnapshot, type PluginSpec, type ResilienceSpec } from './snapshot.ts';

interface Played extends Running<string> {
  readonly end: (result: string) => void;
  readonly aborted: () => boolean;
}
const play = (): Played => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let aborted = false;
  const abort = () => {
    aborted = true;
  };
  return { result: promise, end: resolve, abort, aborted: () => aborted };
};
const race = (second: Played | null = play(), fault?: Error) => {
  const time = createHandClock();
  const first = play();
  const lost: string[] = [];
  const running = hedged(first, {
    after_ms: 100,
    after: time.after,
    failed: (result) => result.startsWith('failed'),
    lost: (result) => void lost.push(result),
    second: () => {
      if (fault) throw fault;
      return second;
    },
  });
  return { time, first, second: second as Played, lost, running };
};

describe('hedged', () => {
  test('hedged asks nobody else where the first answers in time', async () => {
    const { time, first, second, running } = race();
    time.advance(99);
    first.end('answer');
    expect(await running.result).toBe('answer');
    expect(time.waiting()).toBe(0);
    expect(second.aborted()).toBe(false);
  });

  test('hedged gives the loser up as soon as the other answers', async () => {
    const { time, first, second, running } = race();
    time.advance(100);
    second.end('faster');
    expect(await running.result).toBe('faster');
    expect([first.aborted(), second.aborted()]).toEqual([true, false]);
  });

  test('hedged waits for the other where one fails, and tells of the failure', async () => {
    const { time, first, second, lost, running } = race();
    time.advance(100);
    first.end('failed: first');
    await Promise.resolve();
    second.end('answer');
    expect(await running.result).toBe('answer');
    expect(lost).toEqual(['failed: first']);
  });

  test('hedged comes to the last failure where both fail', async () => {
    const { time, first, second, lost, running } = race();
    time.advance(100);
    second.end('failed: second');
    await Promise.resolve();
    first.end('failed: first');
    expect(await running.result).toBe('failed: first');
    expect(lost).toEqual(['failed: second']);
  });

  test('hedged starts no second one after a failure in time, nor when given up', async () => {
    const failing = race();
    failing.first.end('failed');
    expect(await failing.running.result).toBe('failed');
    expect(failing.time.waiting()).toBe(0);
    const left = race();
    left.running.abort();
    expect(left.first.aborted()).toBe(true);
    expect(left.time.waiting()).toBe(0);
  });

  test('hedged gives both up when it is given up, and waits on where nobody else is', async () => {
    const both = race();
    both.time.advance(100);
    both.running.abort();
    expect([both.first.aborted(), both.second.aborted()]).toEqual([true, true]);
    const alone = race(null);
    alone.time.advance(100);
    alone.first.end('answer');
    expect(await alone.running.result).toBe('answer');
  });

  test('hedged fails, and gives the first up, where the second may not be looked for', async () => {
    const { time, first, running } = race(null, new Error('no call passes without it'));
    const failing = expect(running.result).rejects.toThrow('no call passes');
    time.advance(100);
    await failing;
    expect(first.aborted()).toBe(true);
  });
});

describe('a hedged call', () => {
  let slow: Upstream;
  let fast: Upstream;
  let gateway: RunningGateway;
  beforeAll(async () => {
    [slow, fast] = await Promise.all([startUpstream(), startUpstream()]);
  });
  afterEach(() => gateway.close());
  afterAll(() => Promise.all([slow.close(), fast.close()]));

  const start = async (resilience: ResilienceSpec = {}, plugins: readonly PluginSpec[] = []) => {
    const targets = { slow: slow.url, fast: fast.url };
    const all = { hedge: { after_ms: 50 }, ...resilience };
    gateway = await startGateway(makeSnapshot({ targets, resilience: all, plugins }));
    slow.script(stall());
    fast.script(answer('fast'));
  };

  test.each([false, true])('a hedged call takes the faster answer (stream: %s)', async (stream) => {
    await start({ breaker: { errors: 0.1, calls_min: 1, failures: 1, open_ms: 60_000 } });
    const response = await gateway.post(ask('hi', { stream }));
    expect(await response.text()).toContain('fast');
    expect(response.headers.get('x-hive-target')).toBe('fast');
    const given = slow.calls.at(-1);
    await until(() => given?.aborted, { deadline_ms: 1000, what: 'the loser to be given up' });
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'ok', served: 'fast' });
    expect(event.attempts).toHaveLength(2);
    expect(event.attempts).toContainEqual(
      expect.objectContaining({ target: 'slow', outcome: 'aborted' }),
    );
    expect(gateway.gateway.liveTargets()).toMatchObject({
      slow: { breaker: 'closed', in_flight: 0 },
      fast: { in_flight: 0 },
    });
  });

  test('a hedged call whose winner is cut while it is held comes back to the loser', async () => {
    await start({ midstream: 'hold', retry: { retries: 2, backoff_ms: [1, 2] } });
    slow.script([stall(), answer('slow but whole')]);
    fast.script(stream(['half of '], { end: 'cut' }));
    const response = await gateway.post(ask('hi', { stream: true }));
    const text = await response.text();
    expect(text).toMatch(/slow.*\[DONE\]/s);
    expect(text).not.toContain('half of');
    expect(response.headers.get('x-hive-target')).toBe('slow');
    const { attempts } = await gateway.event();
    expect(attempts.map(({ target, outcome }) => [target, outcome])).toEqual([
      ['slow', 'aborted'],
      ['fast', 'error'],
      ['slow', 'ok'],
    ]);
  });

  test('a hedged call needs the retry budget', async () => {
    await start({ retry: { retries: 2, budget: 0, backoff_ms: [1, 2] } });
    slow.script(delayed(200, answer('slow but alone')));
    const before = fast.calls.length;
    expect(await (await gateway.post(ask())).text()).toContain('slow but alone');
    expect(fast.calls.length).toBe(before);
  });

  test('a hedged call fails over where the hedge fails as well', async () => {
    await start({ hedge: { after_ms: 30 } });
    slow.script([delayed(100, status(500)), answer('second try')]);
    fast.script(status(503));
    expect(await (await gateway.post(ask())).text()).toContain('second try');
    expect((await gateway.event()).attempts.map(({ target }) => target)).toEqual([
      'fast',
      'slow',
      'slow',
    ]);
  });

  test('a hedged call fails alone where a plugin that must not fail does so', async () => {
    const guard: PluginSpec = {
      id: 'guard',
      on_error: 'fail',
      plugin: {
        onAttempt({ name }) {
          if (name === 'fast') throw new Error('it cannot tell');
          return undefined;
        },
      },
    };
    await start({}, [guard]);
    const given = slow.calls.length;
    const response = await gateway.post(ask());
    expect(await response.json()).toMatchObject({ error: { code: 'plugin_failed' } });
    await until(() => slow.calls[given]?.aborted, { what: 'the first to be given up' });
    expect(gateway.gateway.liveTargets()).toMatchObject({ slow: { in_flight: 0 } });
    expect(await gateway.event()).toMatchObject({
      outcome: 'error',
      served: null,
      attempts: [{ target: 'slow', outcome: 'aborted' }],
    });
  });

  test('a hedged call that the client leaves ends at both upstreams', async () => {
    await start();
    fast.script(stall());
    const [before, after] = [slow.calls.length, fast.calls.length];
    const leaving = new AbortController();
    const body = JSON.stringify(ask());
    const url = `${gateway.url}/v1/chat/completions`;
    const calling = fetch(url, { method: 'POST', body, signal: leaving.signal });
    await until(() => fast.calls[after], { what: 'the hedge' });
    leaving.abort();
    await expect(calling).rejects.toThrow();
    await until(() => slow.calls[before]?.aborted && fast.calls[after]?.aborted, {
      deadline_ms: 1000,
      what: 'both to hear of it',
    });
    expect(await gateway.event()).toMatchObject({ outcome: 'aborted' });
  });
});
