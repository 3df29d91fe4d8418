import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../kit/until.ts';
import { answer, stall, startUpstream, status, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (backoff_ms: readonly [number, number] = [1, 5]) => {
  const resilience = {
    retry: { retries: 2, backoff_ms },
    breaker: { errors: 0.1, calls_min: 1, open_ms: 60_000 },
  };
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, resilience }));
};

/** Leaves once `ready` says so; the record of the call that was given up. */
const leaveWhen = async (body: unknown, ready: () => unknown) => {
  const leaving = new AbortController();
  const calling = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: leaving.signal,
  }).then((response) => response.text());
  await until(ready, { what: 'the moment to leave' });
  const left_ms = performance.now();
  leaving.abort();
  await expect(calling).rejects.toThrow();
  const event = await gateway.event();
  expect(performance.now() - left_ms).toBeLessThan(1000);
  return event;
};
const newCall = () => {
  const known = upstream.calls.length;
  return () => upstream.calls[known];
};

test.each([
  ['a whole call before its headers', false, stall()],
  ['a whole call amid its body', false, stall('after-headers')],
  ['a stream before its headers', true, stall()],
  ['a stream before its first token', true, stall('after-headers')],
  ['a stream amid its answer', true, stream(['one '], { end: 'stall' })],
])(
  'an abort of %s reaches the upstream and is nobody’s failure',
  async (_name, streaming, script) => {
    await start();
    upstream.script(script);
    const call = newCall();
    const event = await leaveWhen(ask('hi', { stream: streaming }), call);
    await until(() => call()?.aborted, { deadline_ms: 1000, what: 'the upstream to hear of it' });
    expect(event).toMatchObject({ outcome: 'aborted', arm_error: false });
    expect(event.attempts).toMatchObject([{ target: 'main', outcome: 'aborted', error: null }]);
    expect(gateway.gateway.liveTargets().main).toMatchObject({ breaker: 'closed', in_flight: 0 });
    expect(gateway.gateway.callsOpen()).toBe(0);
  },
);

test('an abort in a backoff ends the call at once', async () => {
  await start([6000, 6000]);
  upstream.script(status(500));
  const call = newCall();
  const event = await leaveWhen(ask(), () => call()?.ended);
  expect(event).toMatchObject({ outcome: 'aborted' });
  expect(event.attempts).toMatchObject([{ outcome: 'error' }]);
});

test('a client that lets go at [DONE] has not aborted', async () => {
  await start();
  upstream.script(answer('one two'));
  const opened = await gateway.client.chat.completions.create({ ...ask(), stream: true });
  for await (const _chunk of opened);
  opened.controller.abort();
  expect(await gateway.event()).toMatchObject({ outcome: 'ok' });
});

test('a client that breaks off its reading has aborted', async () => {
  await start();
  upstream.script(stream(['one ', 'two '], { end: 'stall' }));
  const opened = await gateway.client.chat.completions.create({ ...ask(), stream: true });
  for await (const _chunk of opened) break;
  expect(await gateway.event()).toMatchObject({ outcome: 'aborted', served: 'main' });
});
