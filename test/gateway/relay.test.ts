import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Plugin } from '../../src/core/plugin.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  drip,
  malformedChunk,
  type StreamEnd,
  startUpstream,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

const start = async (more: Spec = {}) => {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }));
};
const streamed = async () => (await gateway.post(ask('hi', { stream: true }))).text();
const contentOf = (text: string) =>
  [...text.matchAll(/^data: (\{.*\})$/gm)]
    .map(([, json]) => JSON.parse(json as string))
    .map((chunk) => chunk.choices?.[0]?.delta?.content ?? '')
    .join('');

test.each<[StreamEnd]>([['silent'], ['cut'], ['reset'], ['stall']])(
  'relay turns the end %s into an error event, without [DONE]',
  async (end) => {
    // At once, so that only the stall can be too long for it.
    const stalls = end === 'stall';
    await start({ timeouts: { idle_ms: stalls ? 80 : 9000 } });
    upstream.script(stream(stalls ? ['one two '] : ['one ', 'two '], { end }));
    const text = await streamed();
    expect(contentOf(text)).toBe('one two ');
    const last = JSON.parse(text.trimEnd().split('\n\n').at(-1)?.slice(6) ?? '');
    expect(last.error).toMatchObject({ type: 'server_error', param: null });
    expect(last.error.code).toBe(end === 'stall' ? 'upstream_timeout' : 'upstream_cut');
    expect(text).not.toContain('[DONE]');
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'error', arm_error: true, served: 'main' });
    expect(event.attempts).toMatchObject([{ outcome: 'error' }]);
  },
);

test('relay passes nothing on behind the last event', async () => {
  await start();
  const eventOf = (type: string, more = {}) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const response_of = (status: string) => ({ response: { id: 'resp_1', status, output: [] } });
  const events = [
    eventOf('response.created', response_of('in_progress')),
    eventOf('response.output_text.delta', { delta: 'all' }),
    eventOf('response.completed', response_of('completed')),
  ].join('');
  upstream.script(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(events + eventOf('ping'));
  });
  const answered = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'default', input: 'hi', stream: true }),
  });
  expect(await answered.text()).toBe(events);
  expect(await gateway.event()).toMatchObject({ outcome: 'ok' });
});

test('relay makes the unmodified client throw on a cut', async () => {
  await start();
  upstream.script(stream(['one ', 'two '], { end: 'cut' }));
  const opened = await gateway.client.chat.completions.create({ ...ask(), stream: true });
  const reading = (async () => {
    for await (const _chunk of opened);
  })();
  await expect(reading).rejects.toThrow('The upstream ended its answer too early.');
});

test('relay adds [DONE] to an answer that is complete without it', async () => {
  await start();
  upstream.script(stream(['one'], { end: 'no-done' }));
  const text = await streamed();
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(text).not.toContain('"error"');
  expect(await gateway.event()).toMatchObject({ outcome: 'ok', finish: 'stop' });
});

test('relay sends an error event for a malformed chunk instead of the chunk', async () => {
  await start();
  upstream.script(malformedChunk());
  const text = await streamed();
  expect(contentOf(text)).toBe('one ');
  expect(text).toContain('The upstream sent an event that is not JSON.');
  expect(text).not.toContain('[DONE]');
});

test('relay passes on an error that the upstream reports inside its stream', async () => {
  await start();
  const raw = 'data: {"error":{"message":"out of tea","type":"server_error","code":"tea"}}\n\n';
  upstream.script(stream(['one ', { raw }]));
  const text = await streamed();
  expect(text).toContain('"message":"out of tea"');
  expect(text).toContain('"code":"tea"');
  expect(text).not.toContain('[DONE]');
});

test('relay puts events together that arrive byte by byte', async () => {
  await start();
  upstream.script(drip('größer als ein 🐝', { bytes: 3 }));
  const text = await streamed();
  expect(contentOf(text)).toBe('größer als ein 🐝');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('relay ignores comments before the answer, and keeps waiting for it', async () => {
  await start();
  upstream.script(stream([{ raw: ': ping\n\n' }, 'one'], { delay_ms: 5 }));
  expect(contentOf(await streamed())).toBe('one');
});

test('relay leaves all bytes but ends of lines alone where no plugin looks at chunks', async () => {
  await start();
  const raw =
    'event: x\r\nid: 7\r\ndata:{"id":"c", "choices" : [{"delta":{"content":"a"}}]}\r\n\r\n';
  upstream.script(stream([{ raw }]));
  expect((await streamed()).startsWith(raw.replaceAll('\r\n', '\n'))).toBe(true);
});

test('relay lets plugins replace and drop chunks, last plugin first', async () => {
  const suffix = (text: string): Plugin => ({
    onChunk(chunk) {
      const choice = (chunk.choices as { delta: { content?: string } }[])[0];
      if (!choice?.delta.content) return undefined;
      if (choice.delta.content.startsWith('drop')) return null;
      return {
        ...chunk,
        choices: [{ ...choice, delta: { content: choice.delta.content + text } }],
      };
    },
  });
  const plugins = [
    { id: 'outer', plugin: suffix('1') },
    { id: 'inner', plugin: suffix('2') },
  ];
  await start({ plugins });
  upstream.script(stream(['a', 'drop this', 'b']));
  const text = await streamed();
  expect(contentOf(text)).toBe('a21b21');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('relay ends the stream with an error where a plugin must not be bypassed', async () => {
  const plugin: Plugin = {
    onChunk() {
      throw new Error('broken');
    },
  };
  await start({ plugins: [{ id: 'guard', plugin, on_error: 'fail' }] });
  upstream.script(stream(['secret', 'more']));
  const text = await streamed();
  expect(text).not.toContain('secret');
  expect(text).toContain('plugin_failed');
  expect(text).not.toContain('[DONE]');
  expect(await gateway.event()).toMatchObject({
    outcome: 'error',
    markers: ['plugin:guard:threw'],
  });
});

test('relay holds the upstream back while the client does not read', async () => {
  await start({ timeouts: { idle_ms: 200 } });
  const piece = `data: {"choices":[{"delta":{"content":"${'x'.repeat(64 * 1024)}"}}]}\n\n`;
  const pieces = 1000;
  let sent = 0;
  let blocked_ms = Number.POSITIVE_INFINITY;
  upstream.script(async ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; sent < pieces; sent += 1) {
      if (response.write(piece)) continue;
      blocked_ms = performance.now();
      await once(response, 'drain');
      blocked_ms = Number.POSITIVE_INFINITY;
    }
    response.end('data: [DONE]\n\n');
  });
  const socket = connect(gateway.port, '127.0.0.1');
  socket.pause();
  const body = JSON.stringify(ask('hi', { stream: true }));
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close`;
  socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  // Longer silent than idle_ms of the stream would allow an upstream that is not held back.
  await until(() => performance.now() - blocked_ms > 400, { what: 'the upstream to be held back' });
  expect(sent).toBeLessThan(pieces / 2);
  let bytes = 0;
  socket.on('data', (part) => {
    bytes += part.length;
  });
  socket.resume();
  await once(socket, 'close');
  expect(bytes).toBeGreaterThan(pieces * piece.length);
  expect(await gateway.event()).toMatchObject({ outcome: 'ok' });
});

test('relay estimates tokens where the upstream reports none', async () => {
  await start();
  const raw = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
  upstream.script(stream(['one ', 'two ', 'three', { raw }], { end: 'silent' }));
  await streamed();
  const { tokens } = await gateway.event();
  expect(tokens).toMatchObject({ estimated: true, out: 3 });
  expect(tokens.in).toBeGreaterThan(0);
});

test('relay keeps the connection to the upstream for the next call', async () => {
  await start();
  const ports = new Set<number | undefined>();
  upstream.script((exchange) => {
    ports.add(exchange.response.socket?.remotePort);
    return answer('one two')(exchange);
  });
  for (let call = 0; call < 3; call += 1) await streamed();
  expect(ports.size).toBe(1);
});
