import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { openRaw, requestBytes } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { CHAT, chatBody, serve } from './contract-kit.ts';

let upstream: Upstream;
let spare: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [upstream, spare] = await Promise.all([startUpstream(), startUpstream(answer('spare'))]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([upstream.close(), spare.close()]));

const start = async (script: Behaviour, backoff_ms: readonly [number, number] = [1, 5]) => {
  upstream.script(script);
  gateway = await serve({
    targets: { main: upstream.url, spare: spare.url },
    agents: { default: { targets: ['main'] } },
    resilience: {
      retry: { retries: 2, backoff_ms },
      breaker: { errors: 0.01, calls_min: 1, open_ms: 60_000 },
    },
  });
};
const open = (streamed: boolean) =>
  openRaw(gateway.port, requestBytes({ path: CHAT, body: chatBody({ stream: streamed }) }));
const nextCall = () => {
  const known = upstream.calls.length;
  return () => upstream.calls[known];
};

/** The phases of a call, each with what its upstream does and what the client has seen of it. */
const PHASES: readonly (readonly [string, boolean, Behaviour, string | null])[] = [
  ['before the headers', false, stall(), null],
  ['before the headers of a stream', true, stall(), null],
  ['amid a whole answer', false, stall('after-headers'), null],
  ['before the first token', true, stall('after-headers'), null],
  ['mid-stream', true, stream(['one ', 'two '], { end: 'stall' }), 'two '],
];

describe('4e Abort', () => {
  test.each(PHASES)(
    '4e reaches the upstream within 1 s: %s',
    async (_phase, streamed, script, seen) => {
      await start(script);
      const call = nextCall();
      const client = await open(streamed);
      await until(call, { what: 'the call to reach the upstream' });
      if (seen) await client.saw(seen);
      client.socket.destroy();
      const left_ms = performance.now();
      await until(() => call()?.aborted, { deadline_ms: 1000, what: 'the upstream to hear of it' });
      expect(performance.now() - left_ms).toBeLessThan(1000);
    },
  );

  test('4e ends a call in its retry backoff, which asks no upstream again', async () => {
    await start(status(500), [5000, 5000]);
    const call = nextCall();
    const known = upstream.calls.length;
    const client = await open(false);
    await until(() => call()?.ended, { what: 'the first attempt to fail' });
    client.socket.destroy();
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'aborted' });
    expect(upstream.calls.length).toBe(known + 1);
    expect(gateway.gateway.callsOpen()).toBe(0);
  });

  test('4e is no abort where the socket closes after [DONE] was written', async () => {
    // An upstream that keeps its connection open after [DONE] keeps nobody waiting.
    await start(async ({ response, over }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const chunk = { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
      response.write(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
      await over;
    });
    const client = await open(true);
    await client.saw('data: [DONE]');
    client.socket.destroy();
    expect(await gateway.event()).toMatchObject({ outcome: 'ok' });
    expect(gateway.events().length).toBe(1);
  });

  test.each(PHASES)(
    '4e is no upstream failure: one record, aborted, no breaker, no fallback: %s',
    async (phase, streamed, script, seen) => {
      await start(script);
      const call = nextCall();
      const client = await open(streamed);
      await until(call, { what: 'the call to reach the upstream' });
      if (seen) await client.saw(seen);
      client.socket.destroy();
      const event = await gateway.event();
      expect(event).toMatchObject({ outcome: 'aborted', arm_error: false });
      expect(event.attempts).toMatchObject([{ target: 'main', outcome: 'aborted', error: null }]);
      if (phase === 'mid-stream') expect(event.tokens.out).toBeGreaterThan(0);
      expect(gateway.gateway.liveTargets().main).toMatchObject({ breaker: 'closed', in_flight: 0 });
      expect(gateway.metrics.snapshot().hive_call_errors_total ?? []).toEqual([]);
      expect(spare.calls).toEqual([]);
      expect(gateway.events().length).toBe(1);
    },
  );
});
