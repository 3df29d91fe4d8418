import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FrozenProxy, startFrozenProxy } from '../kit/frozen-proxy.ts';
import { until } from '../kit/until.ts';
import { answer, by, delayed, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

/** Connections that stood in the pool while the network lost them, without a FIN or a reset. */
let upstream: Upstream;
let proxy: FrozenProxy;
let gateway: RunningGateway;

beforeEach(async () => {
  upstream = await startUpstream(
    by(({ user }) => (user === 'slow' ? delayed(120, answer('slow')) : answer('well'))),
  );
  proxy = await startFrozenProxy(upstream.port);
  gateway = await startGateway(
    makeSnapshot({
      targets: { main: proxy.url },
      timeouts: { first_token_ms: 300, total_ms: 2000 },
      resilience: { retry: { retries: 0 } },
    }),
  );
});
afterEach(async () => {
  await gateway.close();
  await proxy.close();
  await upstream.close();
});

const call = async (more: Record<string, unknown> = {}, text = 'hi', headers = {}) => {
  const response = await gateway.post(ask(text, more), headers);
  await response.text();
  return response.status;
};
const together = (count: number) =>
  Promise.all(Array.from({ length: count }, () => call({}, 'slow')));

describe('a connection that the network has lost', () => {
  test('costs one call its time-out; it and those at rest as long are used no more', async () => {
    await together(3);
    expect(proxy.dialled).toBe(3);
    proxy.freeze();
    expect(await call({ stream: true })).toBe(504);
    await until(() => proxy.open === 0, { what: 'all three to be closed' });
    expect(await call({ stream: true })).toBe(200);
    expect(await call()).toBe(200);
    expect(proxy.dialled).toBe(4);
  });

  test('costs a whole answer the time that its call has', async () => {
    await together(2);
    proxy.freeze();
    expect(await call({}, 'hi', { 'x-hive-timeout-ms': '200' })).toBe(504);
    await until(() => proxy.open === 0, { what: 'both to be closed' });
    expect(await call()).toBe(200);
  });

  test('does not cost those on which something has come since', async () => {
    await together(1);
    proxy.freeze();
    const lost = call({ stream: true });
    await until(() => gateway.gateway.liveTargets().main?.in_flight === 1, { what: 'the call' });
    expect(await together(2)).toEqual([200, 200]);
    expect(await lost).toBe(504);
    await until(() => proxy.open === 2, { what: 'the lost one to be closed, and no other' });
    expect(await call()).toBe(200);
    expect(proxy.dialled).toBe(3);
  });

  test('that a client gives up on says nothing of the others', async () => {
    await together(3);
    const leaving = new AbortController();
    const request = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ask('slow')),
      signal: leaving.signal,
    });
    await until(() => upstream.calls.length === 4, { what: 'the call to reach the upstream' });
    leaving.abort();
    await expect(request).rejects.toThrow();
    await until(() => proxy.open === 2, { what: 'its connection alone to be closed' });
  });

  const table = '/proc/net/tcp';
  test.skipIf(!existsSync(table))('is asked by the system whether its peer is there', async () => {
    await call();
    const to = `0100007F:${proxy.port.toString(16).toUpperCase().padStart(4, '0')}`;
    const rows = readFileSync(table, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/));
    const [timer] = rows.filter((row) => row[2] === to && row[3] === '01').map((row) => row[5]);
    const [kind, left] = (timer ?? '').split(':');
    // A keep-alive timer, and hundredths of a second until it asks.
    expect(kind).toBe('02');
    expect(Number.parseInt(left ?? '', 16)).toBeLessThanOrEqual(1000);
  });
});
