import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ask, type RunningGateway } from '../gateway/gateway-kit.ts';
import { openRaw, requestBytes } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  drip,
  malformedChunk,
  type StreamEnd,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import {
  askChat,
  CHAT,
  chatBody,
  chunksOf,
  dataOf,
  expectOpenAiError,
  ONCE,
  RETRYING,
  serve,
  textOf,
} from './contract-kit.ts';

let upstream: Upstream;
let other: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [upstream, other] = await Promise.all([startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([upstream.close(), other.close()]));

const start = async (script: Behaviour, more: Partial<Parameters<typeof serve>[0]> = {}) => {
  upstream.script(script);
  gateway = await serve({ targets: { main: upstream.url }, resilience: ONCE, ...more });
};
const streamed = (more: Readonly<Record<string, unknown>> = {}) =>
  askChat(gateway.port, chatBody({ stream: true, ...more }));
const event = (delta: object, finish: string | null = null) =>
  `{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[${JSON.stringify({
    index: 0,
    delta,
    finish_reason: finish,
  })}]}`;
/** All that the specification allows and real upstreams send. */
const ODD = [
  ': ping',
  '',
  'event: message',
  'id: 7',
  'retry: 10',
  `data: ${event({ role: 'assistant', content: 'grö' })}`,
  '',
  ': a comment amid the answer',
  '',
  'event: unheard.of',
  'data:{"id":"c1","object":"chat.completion.chunk","created":5,',
  'data: "choices":[{"index":0,"delta":{"content":"ße"},"finish_reason":null}]}',
  '',
  'data: {"id":"c1","object":"chat.completion.chunk","created":5,"choices":[]}',
  '',
  `data: ${event({}, 'stop')}`,
  '',
  'data: [DONE]',
  '',
  '',
];
/** Bytes as they are, and the end of the connection. */
const bytes =
  (text: string): Behaviour =>
  ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(text);
  };

describe('4d SSE', () => {
  test('4d ends in [DONE], with one id and created, chunks by name, the role first', async () => {
    await start(stream(['one ', 'two ', 'three']));
    const { body } = await streamed();
    const chunks = chunksOf(body);
    expect(dataOf(body).at(-1)).toBe('[DONE]');
    expect(body.toString().endsWith('data: [DONE]\n\n')).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(new Set(chunks.map(({ created }) => created)).size).toBe(1);
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']));
    expect(chunks[0]?.choices?.[0]?.delta.role).toBe('assistant');
  });

  test.each([['\n'], ['\r'], ['\r\n']])(
    '4d reads an upstream that ends lines in %j, and ends its own in LF',
    async (eol) => {
      await start(bytes(ODD.join(eol)));
      const { body } = await streamed();
      const read = body.toString();
      expect(read).not.toContain('\r');
      expect(textOf(read)).toBe('größe');
      expect(dataOf(read).at(-1)).toBe('[DONE]');
      expect(read).not.toContain('"error"');
    },
  );

  test.each([1, 2, 3, 5])('4d puts events together that come %i bytes at a time', async (size) => {
    await start(drip('größer als 🐝 sind wir', { bytes: size, delay_ms: 0 }));
    const { body } = await streamed();
    expect(textOf(body)).toBe('größer als 🐝 sind wir');
    expect(dataOf(body).at(-1)).toBe('[DONE]');
  });

  test('4d sends the usage chunk before [DONE] to who asked for it', async () => {
    await start(answer('one two'));
    const { body } = await streamed({ stream_options: { include_usage: true } });
    const last = chunksOf(body).at(-1);
    expect(last?.choices).toEqual([]);
    expect(last?.usage).toMatchObject({ total_tokens: expect.any(Number) });
    expect(chunksOf(body).filter(({ usage }) => usage).length).toBe(1);
  });

  test.each([[undefined], [null], [{ include_usage: false }], [{ include_obfuscation: false }]])(
    '4d strips the usage chunk that only the gateway asked for: %o',
    async (options) => {
      await start(answer('one two'));
      const { body } = await streamed({ stream_options: options });
      expect(upstream.calls.at(-1)?.body.stream_options).toMatchObject({ include_usage: true });
      expect(chunksOf(body).some(({ choices }) => choices?.length === 0)).toBe(false);
      expect(dataOf(body).at(-1)).toBe('[DONE]');
      expect((await gateway.event()).tokens).toMatchObject({ estimated: false });
    },
  );

  test.each<[StreamEnd]>([['silent'], ['cut'], ['reset'], ['stall']])(
    '4d tells of the end %s by an error event and ends without [DONE]',
    async (end) => {
      // At once, so that only the stall can be too long for it.
      const idle_ms = end === 'stall' ? 60 : 9000;
      const pieces = end === 'stall' ? ['one two '] : ['one ', 'two '];
      await start(stream(pieces, { end }), { timeouts: { idle_ms } });
      const { body } = await streamed();
      expect(textOf(body)).toBe('one two ');
      expectOpenAiError({ json: () => chunksOf(body).at(-1) });
      expect(body.toString()).not.toContain('[DONE]');
      const opened = await gateway.client.chat.completions.create({ ...ask(), stream: true });
      const reading = (async () => {
        for await (const _chunk of opened);
      })();
      await expect(reading).rejects.toThrow();
    },
  );

  test('4d adds [DONE] where the answer is complete without it, at once', async () => {
    const timeouts = { idle_ms: 3_600_000, total_ms: 3_600_000 };
    await start(stream(['one'], { end: 'no-done' }), { timeouts });
    const { body } = await streamed();
    expect(dataOf(body).at(-1)).toBe('[DONE]');
    expect(body.toString()).not.toContain('"error"');
  });

  test('4d never forwards JSON that is malformed', async () => {
    await start(malformedChunk());
    const { body } = await streamed();
    const data = dataOf(body).filter((text) => text !== '[DONE]');
    for (const text of data) expect(() => JSON.parse(text)).not.toThrow();
    expect(textOf(body)).toBe('one ');
    expect(chunksOf(body).at(-1)?.error).toBeDefined();
  });

  test('4d passes each event on by itself, at once, before the next one exists', async () => {
    const seen = new Map<number, () => void>();
    const gates = Array.from({ length: 20 }, (_, index) => {
      const gate = Promise.withResolvers<void>();
      seen.set(index, gate.resolve);
      return gate.promise;
    });
    await start(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [index, gate] of gates.entries()) {
        response.write(`data: ${event({ content: `<${index}>` })}\n\n`);
        await gate;
      }
      response.end(`data: ${event({}, 'stop')}\n\ndata: [DONE]\n\n`);
    });
    const body = chatBody({ stream: true });
    const open = await openRaw(gateway.port, requestBytes({ path: CHAT, body }));
    for (const index of gates.keys()) {
      await open.saw(`<${index}>`);
      expect(open.bytes().includes(`<${index + 1}>`)).toBe(false);
      seen.get(index)?.();
    }
    await open.saw('[DONE]');
    await open.closed;
  });

  test('4d holds the upstream back for a client that does not read', async () => {
    const piece = `data: ${event({ content: 'x'.repeat(64 * 1024) })}\n\n`;
    let sent = 0;
    let waiting = false;
    await start(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (; sent < 1000; sent += 1) {
        if (response.write(piece)) continue;
        waiting = true;
        await once(response, 'drain');
        waiting = false;
      }
      response.end('data: [DONE]\n\n');
    });
    const body = chatBody({ stream: true });
    const open = await openRaw(gateway.port, requestBytes({ path: CHAT, body }));
    open.socket.pause();
    let since_ms = 0;
    let before = -1;
    const heldBack = (): boolean => {
      if (sent !== before) [before, since_ms] = [sent, performance.now()];
      return waiting && performance.now() - since_ms > 150;
    };
    await until(heldBack, { what: 'the upstream to be held back' });
    expect(sent).toBeLessThan(500);
    open.socket.destroy();
  });

  test.each([
    ['an error', status(500)],
    ['silence', stall()],
    ['headers and silence', stall('after-headers')],
    ['headers and a cut', stream([], { end: 'cut' })],
    ['a comment and a cut', stream([{ raw: ': ping\n\n' }], { end: 'cut' })],
    ['an error as the first event', stream([{ raw: 'data: {"error":{"message":"no"}}\n\n' }])],
    ['a bad first event', stream([{ raw: 'data: {"choi\n\n' }])],
  ])('4d falls over unseen before the first byte: %s', async (_what, script) => {
    other.script(answer('from the other'));
    // Only the one that fails is hurried.
    const timeouts = { first_token_ms: 300, idle_ms: 300 };
    await start(script, {
      targets: { main: { url: upstream.url, timeouts }, spare: other.url },
      timeouts: { first_token_ms: 9000, idle_ms: 9000 },
      resilience: RETRYING,
    });
    const got = await streamed();
    expect(got.status).toBe(200);
    expect(textOf(got.body)).toBe('from the other');
    expect(got.header('x-hive-target')).toBe('spare');
    expect(Number(got.header('x-hive-attempts'))).toBeGreaterThan(1);
  });

  test.each<[StreamEnd]>([['cut'], ['reset'], ['stall']])(
    '4d never falls over after the first token, and never splices: %s',
    async (end) => {
      other.script(answer('from the other'));
      await start(stream(['one '], { end }), {
        targets: { main: upstream.url, spare: other.url },
        timeouts: { idle_ms: 60 },
        resilience: RETRYING,
      });
      const known = other.calls.length;
      const { body } = await streamed();
      expect(textOf(body)).toBe('one ');
      expect(other.calls.length).toBe(known);
    },
  );

  const LONG = { first_token_ms: 9000, idle_ms: 9000, total_ms: 9000 };

  test('4d has a time-out for the first token', async () => {
    await start(stall(), { timeouts: { ...LONG, first_token_ms: 100 } });
    expect((await streamed()).status).toBe(504);
  });

  test.each([
    ['between two tokens', stream(['a'], { end: 'stall' }), { idle_ms: 100 }],
    // A second for the first token, where nothing else is hurried.
    ['in all', stream(Array<string>(200).fill('a'), { delay_ms: 50 }), { total_ms: 1000 }],
  ])('4d has a time-out %s', async (_which, script, hurried) => {
    await start(script, { timeouts: { ...LONG, ...hurried } });
    const got = await streamed();
    expect(got.status).toBe(200);
    expect(textOf(got.body)[0]).toBe('a');
    expect(chunksOf(got.body).at(-1)?.error).toMatchObject({ code: 'upstream_timeout' });
  });

  test('4d has no time-out for a stream that goes on for longer than any pause may', async () => {
    const slow = stream(['a', 'b', 'c', 'd', 'e'], { delay_ms: 300 });
    await start(slow, { timeouts: { ...LONG, first_token_ms: 1200, idle_ms: 1200 } });
    expect(textOf((await streamed()).body)).toBe('abcde');
  });
});
