import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type HttpAnswer, readAnswer } from './http-answer.ts';
import { until } from './until.ts';

/** A client's connection whose bytes go out as they are and whose answers are read strictly. */
export interface HttpConnection {
  readonly socket: Socket;
  /** Resolves once the bytes have been handed to the system. */
  write(bytes: string | Uint8Array): Promise<void>;
  /**
   * The next answer. Rejects where it is no HTTP, is cut off, or does not come in time. Answers
   * come in the order of the requests, so `method` is the one that was asked for it.
   */
  answer(method?: string): Promise<HttpAnswer>;
  /** Waits until what has come since the last answer contains a text. */
  saw(text: string): Promise<void>;
  /** What has come since the last answer. */
  pending(): Buffer;
  /** Resolves with what came behind the last answer, once the other side has closed. */
  end(): Promise<Buffer>;
  readonly ended: boolean;
}

export async function openHttp(port: number): Promise<HttpConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let waiting: Buffer = Buffer.alloc(0);
  let ended = false;
  socket.on('data', (part: Buffer) => {
    waiting = Buffer.concat([waiting, part]);
  });
  socket.on('error', () => {});
  for (const event of ['end', 'close']) {
    socket.once(event, () => {
      ended = true;
    });
  }
  await once(socket, 'connect');
  return {
    socket,
    pending: () => waiting,
    async saw(text) {
      await until(() => waiting.includes(text), { what: `${text} to arrive`, every_ms: 1 });
    },
    get ended() {
      return ended;
    },
    write: (bytes) =>
      new Promise((resolve) => {
        // A connection that was closed meanwhile takes nothing, which the answer will show.
        socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => {
          resolve();
        });
      }),
    async answer(method = 'POST') {
      const answered = (): HttpAnswer | Error | null => {
        const over = ended;
        try {
          const read = readAnswer(waiting, { method, ended: over });
          if (read) waiting = read.rest;
          return read?.answer ?? (over ? new Error(`cut off after ${shown(waiting)}`) : null);
        } catch (thrown) {
          return new Error(`${String(thrown)} in ${shown(waiting)}`);
        }
      };
      const got = await until(answered, { what: 'an answer', every_ms: 1 });
      if (got instanceof Error) throw got;
      return got;
    },
    async end() {
      await until(() => ended, { what: 'the end of the connection', every_ms: 1 });
      return waiting;
    },
  };
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 300).toString('latin1'));
}
