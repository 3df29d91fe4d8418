import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Client } from '../../src/gateway/client.ts';
import { createOverload, type Place } from '../../src/gateway/overload.ts';
import { until } from '../kit/until.ts';
import { answer, delayed, stall, startUpstream, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { createHandClock } from './hand-clock.ts';
import { makeSnapshot, type SnapshotSpec } from './snapshot.ts';

const present: Client = { gone: false, unlessGone: (work) => work, onGone() {} };
const open = () => {
  const time = createHandClock();
  const metrics = createMetrics();
  const monotonic_ms = () => time.clock.monotonic_ms();
  return { time, metrics, overload: createOverload({ metrics, monotonic_ms, after: time.after }) };
};
const FULL = { code: 'overloaded', details: { retry_after_s: 1 } };
const NARROW = { in_flight: 1, queue_ms: 100, queue_max: 1, bytes_max: 1e6 };
const placeOf = (entered: Place | Promise<unknown>): Place => {
  if (entered instanceof Promise) throw new Error('it stands in line');
  return entered;
};

describe('overload', () => {
  test('overload holds calls to their end where the policy names a number', async () => {
    const { overload } = open();
    const first = placeOf(overload.enter(NARROW, present, Infinity));
    first.answering(1);
    const second = overload.enter(NARROW, present, Infinity);
    await expect(overload.enter(NARROW, present, Infinity)).rejects.toMatchObject(FULL);
    first.leave();
    first.leave();
    expect(await second).toHaveProperty('leave');
    expect(overload.enter(NARROW, present, Infinity)).toBeInstanceOf(Promise);
  });

  test('overload sends away who waits longer than the queue may', async () => {
    const { overload, time, metrics } = open();
    placeOf(overload.enter(NARROW, present, Infinity));
    const second = overload.enter(NARROW, present, Infinity);
    time.advance(100);
    await expect(second).rejects.toMatchObject(FULL);
    expect(metrics.snapshot().hive_shed_total?.[0]).toMatchObject({ labels: ['deadline'] });
    expect(metrics.snapshot().hive_queue_waiting?.[0]).toMatchObject({ value: 0 });
  });

  test('overload lets nobody wait longer than the call has left', async () => {
    const { overload, time } = open();
    placeOf(overload.enter(NARROW, present, Infinity));
    const hurried = overload.enter(NARROW, present, 30);
    time.advance(29);
    let told: unknown = null;
    void (hurried as Promise<unknown>).catch((thrown) => {
      told = thrown;
    });
    await Promise.resolve();
    expect(told).toBeNull();
    time.advance(1);
    await expect(hurried).rejects.toMatchObject(FULL);
    const late = overload.enter(NARROW, present, -5);
    time.advance(0);
    await expect(late).rejects.toMatchObject(FULL);
  });

  test('overload does not count open streams where the limit is adaptive', () => {
    const { overload } = open();
    const policy = { ...NARROW, in_flight: 'adaptive' } as const;
    for (let one = 0; one < 5000; one += 1)
      placeOf(overload.enter(policy, present, Infinity)).answering(1);
    expect(overload.enter(policy, present, Infinity)).toHaveProperty('leave');
  });
});

describe('an overloaded gateway', () => {
  let upstream: Upstream;
  let other: Upstream;
  let gateway: RunningGateway;
  beforeAll(async () => {
    [upstream, other] = await Promise.all([startUpstream(), startUpstream()]);
  });
  afterEach(() => gateway.close());
  afterAll(() => Promise.all([upstream.close(), other.close()]));

  const start = async (more: Partial<SnapshotSpec>) => {
    gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }));
  };
  const many = (count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const response = await gateway.post(ask());
        await response.text();
        return response;
      }),
    );

  test('an overloaded gateway serves what it can and sends the rest away', async () => {
    const overload = { in_flight: 2, queue_ms: 150, queue_max: 3 };
    await start({ resilience: { overload } });
    upstream.script(delayed(100, answer('one')));
    const responses = await many(20);
    const served = responses.filter(({ status }) => status === 200);
    const refused = responses.filter(({ status }) => status === 503);
    expect(served.length).toBeGreaterThanOrEqual(2);
    expect(refused.length).toBeGreaterThan(0);
    expect(served.length + refused.length).toBe(20);
    for (const { headers } of refused) {
      expect(headers.get('retry-after')).toBe('1');
      expect(headers.get('x-should-retry')).toBeNull();
    }
    expect((await gateway.post(ask())).status).toBe(200);
  });

  test('an overloaded gateway never asks a target for more than its number at once', async () => {
    let [now, most] = [0, 0];
    await start({ targets: { main: { url: upstream.url, in_flight: 3 } } });
    upstream.script(async (exchange) => {
      now += 1;
      most = Math.max(most, now);
      await exchange.pause(10);
      now -= 1;
      await answer('one')(exchange);
    });
    const responses = await many(30);
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(3);
  });

  test.each([
    ['in all', { resilience: { overload: { in_flight: 1, queue_ms: 20_000 } } }],
    ['of a target', { resilience: { overload: { queue_ms: 20_000 } } }],
  ])(
    'an overloaded gateway lets nobody stand in line %s beyond x-hive-timeout-ms',
    async (...row) => {
      const [, more] = row;
      await start({ targets: { main: { url: upstream.url, in_flight: 1 } }, ...more });
      const known = upstream.calls.length;
      upstream.script(stall());
      const gone = new AbortController();
      const body = JSON.stringify(ask());
      const url = `${gateway.url}/v1/chat/completions`;
      const first = fetch(url, { method: 'POST', body, signal: gone.signal }).catch(() => {});
      await until(() => upstream.calls.length > known, { what: 'the first call' });
      const response = await gateway.post(ask(), { 'x-hive-timeout-ms': '80' });
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { error: { code: 'overloaded' } },
      ]);
      const { latency_ms, outcome, arm_error, attempts } = await gateway.event();
      expect({ outcome, arm_error, attempts }).toEqual({
        outcome: 'rejected',
        arm_error: false,
        attempts: [],
      });
      expect(latency_ms).toBeGreaterThanOrEqual(79);
      expect(latency_ms).toBeLessThan(5000);
      gone.abort();
      await first;
    },
  );

  test('an overloaded gateway uses another target where one is full', async () => {
    const targets = { main: { url: upstream.url, in_flight: 1 }, other: other.url };
    await start({ targets });
    upstream.script(delayed(300, answer('one')));
    other.script(answer('two'));
    const names = (await many(4)).map(({ headers }) => headers.get('x-hive-target'));
    expect(names.filter((name) => name === 'main')).toHaveLength(1);
    expect(names.filter((name) => name === 'other')).toHaveLength(3);
  });

  test('an overloaded gateway holds no more bytes of slow senders than it may', async () => {
    await start({ resilience: { overload: { bytes_max: 200_000 } } });
    const known = upstream.calls.length;
    upstream.script(answer('one'));
    const held = () => gateway.metrics.snapshot().hive_held_bytes?.[0]?.value ?? 0;
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000';
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(gateway.port, '127.0.0.1').on('error', () => {});
      socket.write(`${head}\r\n\r\n${'x'.repeat(50_000)}`);
      return socket;
    });
    await until(() => held() > 100_000, { what: 'the bytes to arrive' });
    const refused = await Promise.any(
      sockets.map(async (socket) => String(await once(socket, 'data'))),
    );
    expect(refused).toContain('503');
    expect(refused).toContain('retry-after: 1');
    expect(held()).toBeLessThanOrEqual(200_000);
    for (const socket of sockets) socket.destroy();
    await until(() => held() === 0, { what: 'the bytes to be let go' });
    expect((await gateway.post(ask())).status).toBe(200);
    expect(upstream.calls.length - known).toBe(1);
  });

  test('an overloaded gateway forgets a call that is left while it waits', async () => {
    await start({ resilience: { overload: { in_flight: 1, queue_ms: 5000, queue_max: 5 } } });
    const known = upstream.calls.length;
    upstream.script([stall(), answer('next')]);
    const leaving = [new AbortController(), new AbortController()];
    const post = (index: number) =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify(ask()),
        signal: leaving[index]?.signal ?? null,
      });
    const first = post(0);
    await until(() => upstream.calls[known], { what: 'the first call' });
    const second = post(1);
    const waiting = () => gateway.metrics.snapshot().hive_queue_waiting?.[0]?.value === 1;
    await until(waiting, { what: 'the second to stand in line' });
    leaving[1]?.abort();
    await expect(second).rejects.toThrow();
    expect(await gateway.event()).toMatchObject({ outcome: 'aborted', attempts: [] });
    leaving[0]?.abort();
    await expect(first).rejects.toThrow();
    await until(() => upstream.calls[known]?.aborted, { what: 'the upstream to hear of it' });
    expect((await gateway.post(ask())).status).toBe(200);
    expect(upstream.calls.length - known).toBe(2);
  });

  test('an overloaded gateway counts a stream to its end where a number holds', async () => {
    await start({ resilience: { overload: { in_flight: 1, queue_ms: 30, queue_max: 5 } } });
    upstream.script(stream(['one '], { end: 'stall' }));
    const leaving = new AbortController();
    const body = JSON.stringify(ask('hi', { stream: true }));
    const url = `${gateway.url}/v1/chat/completions`;
    const first = await fetch(url, { method: 'POST', body, signal: leaving.signal });
    expect((await gateway.post(ask())).status).toBe(503);
    leaving.abort();
    await expect(first.text()).rejects.toThrow();
    upstream.script(answer('next'));
    await until(async () => (await gateway.post(ask())).status === 200, { what: 'a place' });
  });
});
