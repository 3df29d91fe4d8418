import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { portOf } from '../kit/ports.ts';
import type { FuzzedAnswer } from './fuzz-answer.ts';

/** An upstream on raw sockets that answers the case its request names, well-formed or not. */
export interface WildUpstream {
  readonly url: string;
  close(): Promise<void>;
}

export async function startWildUpstream(
  answerTo: (number: number, path: string, streamed: boolean) => FuzzedAnswer,
): Promise<WildUpstream> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    let got: Buffer = Buffer.alloc(0);
    socket.on('data', (part: Buffer) => {
      got = Buffer.concat([got, part]);
      const request = requestIn(got);
      if (request === null) return;
      socket.removeAllListeners('data').resume();
      void play(socket, answerTo(request.number, request.path, request.streamed));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}/v1`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function requestIn(bytes: Buffer): { number: number; path: string; streamed: boolean } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.subarray(0, end).toString('latin1');
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return null;
  const body = bytes.subarray(end + 4).toString('utf8');
  const number = Number(/case:(\d+)/.exec(body)?.[1] ?? 0);
  return { number, path: head.split(' ')[1] ?? '', streamed: /"stream":\s*true/.test(body) };
}

async function play(socket: Socket, answer: FuzzedAnswer): Promise<void> {
  for (const part of answer.parts) {
    if (socket.destroyed) return;
    socket.write(part);
    await turn();
  }
  if (answer.end === 'close') socket.end();
  if (answer.end === 'reset') socket.resetAndDestroy();
}
