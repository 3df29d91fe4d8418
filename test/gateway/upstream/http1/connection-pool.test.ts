import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TurnEnd } from '../../../../src/gateway/clock/turn-end.ts';
import { createUpstream } from '../../../../src/gateway/upstream/create-upstream.ts';
import type { Outgoing, Sending, Upstream } from '../../../../src/gateway/upstream/upstream.ts';
import { portOf } from '../../../kit/ports.ts';
import { until } from '../../../kit/until.ts';

/** A server of plain sockets: what it answers is bytes, as the test has them. */
let server: Server;
let sockets: Socket[];
let heard: string[];
let upstream: Upstream;
let reply: (socket: Socket, request: string) => void;

beforeEach(async () => {
  sockets = [];
  heard = [];
  reply = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      const end = request.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(request)?.[1] ?? 0);
      if (end === -1 || request.length < end + 4 + length) return;
      heard.push(request);
      const whole = request;
      request = '';
      reply(socket, whole);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  upstream = createUpstream();
});
afterEach(async () => {
  await upstream.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const outgoing = (more: Partial<Outgoing> = {}): Outgoing => ({
  base_url: `http://127.0.0.1:${portOf(server)}`,
  network: 'private',
  connect_ms: 2000,
  method: 'POST',
  path: '/v1/x',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{}'),
  ...more,
});

const EVENTS = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly error: Error | null;
}

interface Asking {
  readonly answer: Promise<Answer>;
  readonly sending: Sending;
  readonly parts: Buffer[];
}

function send(more: Partial<Outgoing> = {}, onData = (_bytes: Uint8Array): void => {}): Asking {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const parts: Buffer[] = [];
  let status = 0;
  const end = (error: Error | null): void =>
    resolve({ status, body: Buffer.concat(parts).toString(), error });
  const sending = upstream.send(outgoing(more), {
    onSent() {},
    onHeaders: (told) => {
      status = told;
    },
    onData(bytes) {
      parts.push(bytes as Buffer);
      onData(bytes);
    },
    onEnd: () => end(null),
    onError: end,
  });
  return { answer: promise, sending, parts };
}

describe('createUpstream', () => {
  test('upstream uses one connection for calls in a row, more for calls at once', async () => {
    for (let call = 0; call < 3; call += 1) {
      expect(await send().answer).toEqual({ status: 200, body: 'ok', error: null });
    }
    expect(sockets).toHaveLength(1);
    await Promise.all([send().answer, send().answer, send().answer]);
    expect(sockets).toHaveLength(3);
    expect(heard).toHaveLength(6);
  });

  test('upstream keeps the bytes of answers apart that arrive one after the other', async () => {
    // All connections read into one buffer: what is kept of it must be a copy.
    reply = (socket, request) => {
      const [, name = ''] = /"(\w+)"/.exec(request) ?? [];
      const body = name.repeat(2000);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
      for (let at = 0; at < body.length; at += 1500) socket.write(body.slice(at, at + 1500));
    };
    const names = ['a', 'bb', 'ccc', 'dddd', 'eeeee'];
    const asked = names.map((name) => send({ body: Buffer.from(JSON.stringify(name)) }).answer);
    const answers = await Promise.all(asked);
    expect(answers.map(({ body }) => body)).toEqual(names.map((name) => name.repeat(2000)));
  });

  test('upstream sends large bodies whole', async () => {
    const body = Buffer.alloc(300_000, 'x');
    expect((await send({ body }).answer).body).toBe('ok');
    expect(heard[0]?.endsWith(body.toString())).toBe(true);
  });

  test('upstream leaves a connection that the other end closes or answers twice on', async () => {
    reply = (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
    await send().answer;
    reply = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1');
    await send().answer;
    reply = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    expect((await send().answer).body).toBe('ok');
    expect(sockets).toHaveLength(3);
  });

  test('upstream takes nothing for an answer that was here before its question left', async () => {
    await send().answer;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    // What a timer does is followed by reads, and only then by what was put off to the turn's end.
    setTimeout(() => {
      sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nothers');
      void send().answer.then(resolve);
    }, 0);
    expect(await promise).toMatchObject({ status: 0, body: '', error: expect.any(Error) });
    expect(heard).toHaveLength(1);
    expect((await send().answer).body).toBe('ok');
  });

  test('upstream notices a connection that was closed while it rested', async () => {
    await send().answer;
    sockets[0]?.destroy();
    await until(() => sockets[0]?.closed, { what: 'the end of the connection' });
    await until(async () => (await send().answer).error === null, { what: 'an answer' });
    expect(sockets.length).toBeGreaterThan(1);
  });

  test('upstream tells of a reset, a cut and of what is no HTTP', async () => {
    reply = (socket) => socket.resetAndDestroy();
    expect((await send().answer).error).toBeInstanceOf(Error);
    reply = (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf');
    expect(await send().answer).toMatchObject({
      status: 200,
      body: 'half',
      error: expect.any(Error),
    });
    reply = (socket) => socket.end('hello?\r\n\r\n');
    expect((await send().answer).error).toBeInstanceOf(Error);
  });

  test('upstream hears nothing of a request that was given up', async () => {
    reply = () => {};
    const { sending, answer } = send();
    await until(() => heard.length === 1, { what: 'the request' });
    sending.abort();
    await until(() => sockets[0]?.closed, { what: 'the end of the connection' });
    expect(await Promise.race([answer, Promise.resolve('silent')])).toBe('silent');
  });

  test('upstream reads nothing while paused, and again with the next call', async () => {
    const body = 'x'.repeat(30_000_000);
    reply = (socket) =>
      void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    const { sending, answer, parts } = send();
    await until(() => parts.length > 0, { what: 'the first bytes' });
    sending.pause();
    const paused_at = parts.length;
    await until(() => (sockets[0]?.writableLength ?? 0) > 0, { what: 'a full line' });
    expect(parts.length).toBeLessThanOrEqual(paused_at + 1);
    sending.resume();
    expect((await answer).body.length).toBe(body.length);
    reply = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    expect((await send().answer).body).toBe('ok');
    expect(sockets).toHaveLength(1);
  });

  test('upstream hears another answer before the rest of a stream that is here', async () => {
    // Of each turn the shares get as little as can be.
    let looks = 0;
    await upstream.close();
    upstream = createUpstream(
      undefined,
      new TurnEnd(() => {
        looks += 1;
        return looks * 1000;
      }),
    );
    const event = 'data:{}\n\n';
    const count = 50_000;
    const at: Record<string, Socket> = {};
    reply = (socket, request) => {
      at[request.endsWith('"other"') ? 'other' : 'stream'] = socket;
    };
    let told = false;
    const streaming = send({}, () => {
      // The stream's bytes are here, and are being read: now another answer comes.
      if (!told) at.other?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      told = true;
    });
    const other = send({ body: Buffer.from('"other"') });
    await until(() => heard.length === 2, { what: 'both requests' });
    at.stream?.write(`${EVENTS}${event.repeat(count)}`);
    expect((await other.answer).body).toBe('ok');
    const seen = Buffer.concat(streaming.parts).length / event.length;
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThan(count / 10);
    await until(() => Buffer.concat(streaming.parts).length === count * event.length, {
      what: 'the rest of the stream',
    });
    streaming.sending.abort();
  });

  test('upstream takes all of a stream whose connection ends while most of it waits', async () => {
    const body = Array.from({ length: 30_000 }, (_, at) => `data:{"at":${at}}\n\n`).join('');
    reply = (socket) => void socket.end(`${EVENTS}${body}`);
    const got = await send().answer;
    expect(got.error).toBeNull();
    expect(got.body === body).toBe(true);
  });

  test('upstream loses no byte of a stream that is paused amid its shares', async () => {
    const body = Array.from({ length: 30_000 }, (_, at) => `data:{"at":${at}}\n\n`).join('');
    reply = (socket) => {
      const chunks = body.match(/.{1,700}/gs) ?? [];
      const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
      socket.write(`${EVENTS.replace('\r\n\r\n', '\r\ntransfer-encoding: chunked\r\n\r\n')}`);
      socket.write(`${text}0\r\n\r\n`);
    };
    let parts = 0;
    const asking = send({}, () => {
      parts += 1;
      if (parts % 7 !== 0) return;
      asking.sending.pause();
      // At once, before its next share; or after it would have come.
      if (parts % 2 === 0) asking.sending.resume();
      else setImmediate(() => setImmediate(() => asking.sending.resume()));
    });
    const { body: got, error } = await asking.answer;
    expect(error).toBeNull();
    expect(got === body).toBe(true);
    reply = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    expect((await send().answer).body).toBe('ok');
    expect(sockets).toHaveLength(1);
  });

  test('upstream refuses a header that would end a line', async () => {
    const { answer } = send({ headers: { 'x-a': 'b\r\nx-c: d' } });
    expect((await answer).error).toBeInstanceOf(TypeError);
    expect(sockets).toHaveLength(0);
  });
});
