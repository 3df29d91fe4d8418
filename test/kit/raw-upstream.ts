import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { portOf } from './ports.ts';

/** What a request of the gateway's gets, on its bare connection. */
export type RawReply = (socket: Socket, request: Buffer) => void | Promise<void>;

/** An upstream that answers with bytes as a test wrote them, once a request's end has come. */
export interface RawUpstream {
  readonly url: string;
  /** Requests as they came, oldest first. */
  readonly requests: readonly Buffer[];
  /** Connections that were opened to it. */
  connections(): number;
  /** One reply for all, or a queue whose last one repeats. */
  reply(...replies: readonly RawReply[]): void;
  /** Before the first byte of a request's body is read. */
  replyEarly(reply: RawReply): void;
  close(): Promise<void>;
}

export async function startRawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const requests: Buffer[] = [];
  let queue: readonly RawReply[] = [];
  let early: RawReply | null = null;
  let connections = 0;

  const serve = (socket: Socket): void => {
    let got: Buffer = Buffer.alloc(0);
    let answered = false;
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    socket.on('data', (part: Buffer) => {
      got = Buffer.concat([got, part]);
      const end = got.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (early && !answered) {
        answered = true;
        socket.pause();
        requests.push(got);
        void early(socket, got);
        return;
      }
      const head = got.toString('latin1', 0, end);
      const whole = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (got.length < whole) return;
      const request = got.subarray(0, whole);
      got = got.subarray(whole);
      requests.push(request);
      const [next, ...rest] = queue;
      if (rest.length > 0) queue = rest;
      if (next) void next(socket, request);
    });
  };
  const server = createServer({ noDelay: true }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}/v1`,
    requests,
    connections: () => connections,
    reply(...replies) {
      early = null;
      queue = replies;
    },
    replyEarly(reply) {
      early = reply;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Bytes, and an end of the connection where there is to be one. */
export function bytes(
  text: string | Uint8Array,
  end: 'keep' | 'close' | 'reset' = 'keep',
): RawReply {
  return (socket) => {
    socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, () => {
      if (end === 'close') socket.end();
      if (end === 'reset') socket.resetAndDestroy();
    });
  };
}

/** The same a few bytes at a time, each in a packet of its own. */
export function slices(text: Uint8Array, size: number, end: 'keep' | 'close' = 'keep'): RawReply {
  return async (socket) => {
    for (let at = 0; at < text.length; at += size) {
      if (socket.destroyed) return;
      await new Promise<void>((sent) => {
        socket.write(text.subarray(at, at + size), () => setImmediate(sent));
      });
    }
    if (end === 'close') socket.end();
  };
}
