import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSharedReads } from '../../../src/gateway/front/shared-reads.ts';
import { portOf } from '../../kit/ports.ts';
import { until } from '../../kit/until.ts';

let server: Server;
const sockets: Socket[] = [];
beforeEach(async () => {
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** A client's socket, and the accepted one. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ port: portOf(server), host: '127.0.0.1' });
  const [socket] = await accepted;
  sockets.push(client, socket);
  return [client, socket];
}

test('SharedReads are what this project’s Node can do', async () => {
  const [, socket] = await pair();
  expect(createSharedReads().begin(socket, () => {})).toBe(true);
});

test('SharedReads hand over what came on each socket, in one buffer for all', async () => {
  const reads = createSharedReads();
  const heard = ['', ''];
  const kept: Buffer[] = [];
  const clients: Socket[] = [];
  for (const at of [0, 1]) {
    const [client, socket] = await pair();
    reads.begin(socket, (bytes) => {
      heard[at] += bytes.toString();
      kept.push(bytes);
    });
    socket.resume();
    clients.push(client);
  }
  for (let turn = 0; turn < 20; turn += 1) {
    for (const at of [0, 1]) {
      const before = heard[at]?.length ?? 0;
      clients[at]?.write(`${at}${turn},`);
      await until(() => (heard[at]?.length ?? 0) > before, { what: 'the bytes' });
    }
  }
  const turns = Array.from({ length: 20 }, (_, turn) => turn);
  expect(heard[0]).toBe(turns.map((turn) => `0${turn},`).join(''));
  expect(heard[1]).toBe(turns.map((turn) => `1${turn},`).join(''));
  expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(1);
});

test('SharedReads tell the end of a stream, and stop where the socket is paused', async () => {
  const [client, socket] = await pair();
  let heard = '';
  createSharedReads().begin(socket, (bytes) => {
    heard += bytes.toString();
    socket.pause();
  });
  socket.resume();
  client.write('a');
  await until(() => heard === 'a', { what: 'the first byte' });
  client.end('b');
  // Whatever is told of a connection of its own has come after it.
  const [other, accepted] = await pair();
  const told = once(accepted.resume(), 'data');
  other.write('x');
  await told;
  expect(heard).toBe('a');
  const ended = once(socket, 'end');
  socket.resume();
  await until(() => heard === 'ab', { what: 'the rest' });
  socket.resume();
  await ended;
});

test('SharedReads that end leave the socket to who listens to it', async () => {
  const reads = createSharedReads();
  const [client, socket] = await pair();
  let taken = '';
  let streamed = '';
  reads.begin(socket, (bytes) => {
    taken += bytes.toString();
    reads.end(socket);
    socket.on('data', (part) => {
      streamed += part.toString();
    });
  });
  socket.resume();
  client.write('first');
  await until(() => taken === 'first', { what: 'the first' });
  client.write('second');
  await until(() => streamed === 'second', { what: 'the second' });
  expect(taken).toBe('first');
});
