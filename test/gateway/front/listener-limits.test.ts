import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ListenerLimits } from '../../../src/gateway/front/listener-limits.ts';
import { until } from '../../kit/until.ts';
import { answer, startUpstream, stream, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makeSnapshot } from '../snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
const sockets: Socket[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway.close();
});
afterAll(() => upstream.close());

async function start(limits: Partial<ListenerLimits>): Promise<void> {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url } }), { limits });
}

/** A connection that says what it is told to, and reads only where it is asked to. */
async function open(): Promise<Socket> {
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

function post(socket: Socket, body: object, length?: number): void {
  const text = JSON.stringify(body);
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `content-length: ${length ?? Buffer.byteLength(text)}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
}

function textOf(socket: Socket): () => string {
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return () => text;
}

test.each([
  ['headers', { headers_ms: 100, body_ms: 100 }, (socket: Socket) => socket.write('POST / HTT')],
  ['a body', { body_ms: 100, headers_ms: 100 }, (socket: Socket) => post(socket, ask(), 9999)],
])('the listener answers 408 where %s do not come in time', async (_, limits, begin) => {
  await start(limits);
  const socket = await open();
  const text = textOf(socket);
  begin(socket);
  await once(socket, 'close');
  expect(text()).toMatch(/^HTTP\/1.1 408 /);
  expect(text()).toContain('"code":"request_timeout"');
});

test('the listener serves others while slow senders hold connections', async () => {
  await start({});
  const slow = await Promise.all(Array.from({ length: 200 }, open));
  for (const socket of slow) socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: ');
  upstream.script(answer('hello'));
  expect((await gateway.post(ask())).status).toBe(200);
});

test('the listener closes connections beyond its limit, and takes new ones later', async () => {
  await start({ connections_max: 2 });
  const [one] = [await open(), await open()];
  const third = await open();
  await once(third, 'close');
  one.destroy();
  await until(
    async () => {
      const socket = await open();
      const text = textOf(socket);
      socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await until(() => text() !== '' || socket.destroyed, { what: 'an answer or the end' });
      return text().startsWith('HTTP/1.1 200');
    },
    { what: 'a place' },
  );
});

test('a client that stops reading a stream ends it, upstream too', async () => {
  await start({ stall_ms: 150 });
  const piece = 'x'.repeat(64 * 1024);
  upstream.script(stream(Array.from({ length: 2000 }, () => piece)));
  const before = upstream.calls.length;
  const socket = await open();
  socket.pause();
  post(socket, ask('hi', { stream: true }));
  const call = await until(() => upstream.calls[before], { what: 'the call' });
  await until(() => call.aborted, { what: 'the upstream to be let go' });
  expect((await gateway.event()).outcome).toBe('aborted');
});

test('a client that reads slowly keeps its stream', async () => {
  await start({ stall_ms: 150 });
  const piece = 'x'.repeat(64 * 1024);
  upstream.script(stream(Array.from({ length: 100 }, () => piece)));
  const response = await gateway.post(ask('hi', { stream: true }));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let bytes = 0;
  let done = false;
  // Each read is later than the one before, and none is as late as the limit.
  for (let reads = 0; !done; reads += 1) {
    const part = await reader.read();
    done = part.done;
    bytes += part.value?.length ?? 0;
    if (reads % 20 === 0) await until(elapsed(60), { what: 'a slow reader' });
  }
  expect(bytes).toBeGreaterThan(100 * piece.length);
});

test('a client that stops reading a whole answer loses its connection', async () => {
  await start({ stall_ms: 150 });
  upstream.script(answer('x'.repeat(16 * 1024 * 1024)));
  const socket = await open();
  socket.pause();
  post(socket, ask());
  await gateway.event();
  const { server } = gateway.gateway;
  const open_connections = () =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  await until(async () => (await open_connections()) === 0, { what: 'the connection to end' });
});

function elapsed(ms: number): () => boolean {
  const begun_ms = performance.now();
  return () => performance.now() - begun_ms >= ms;
}
