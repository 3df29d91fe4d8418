import type { Socket } from 'node:net';
import type { RawReply } from './raw-upstream.ts';

/** What an upstream does to harm the gateway in front of it: ends only when it is let go. */
export interface Hostility {
  readonly name: string;
  /** Whether a stream is asked for. */
  readonly stream: boolean;
  readonly reply: RawReply;
  /** How the call may end: its status, or the code of the error event that ends its stream. */
  readonly ends: RegExp;
}

const EVENTS = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
const CHUNKED_EVENTS =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const CHUNKED_JSON =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
const LONG_JSON = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"x":"';
const MEGABYTE = 1024 * 1024;

const delta = (content: string): string => {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'c', choices })}\n\n`;
};

/** `head`, then the same piece for ever, as fast as it is taken. */
function endless(head: string, piece: string): RawReply {
  const bytes = Buffer.from(piece, 'latin1');
  return async (socket) => {
    let goOn = (): void => {};
    socket.on('drain', () => goOn()).on('close', () => goOn());
    socket.write(head, 'latin1');
    while (!socket.destroyed) {
      if (socket.write(bytes)) await new Promise((next) => void setImmediate(next));
      else {
        await new Promise<void>((next) => {
          goOn = next;
        });
      }
    }
  };
}

/** `head`, then one byte at a time, slower than anybody wants to wait. */
function drip(head: string, piece: string, every_ms = 20): RawReply {
  return (socket: Socket) => {
    socket.write(head, 'latin1');
    let at = 0;
    const timer = setInterval(() => {
      socket.write(piece[at % piece.length] ?? '', 'latin1');
      at += 1;
    }, every_ms);
    socket.once('close', () => clearInterval(timer));
  };
}

const one = (name: string, stream: boolean, ends: RegExp, reply: RawReply): Hostility => ({
  name,
  stream,
  ends,
  reply,
});

const FAILED = /^50[234] |upstream_(error|timeout|cut)|overloaded/;

export const HOSTILITIES: readonly Hostility[] = [
  one(
    'a header that does not end',
    false,
    FAILED,
    endless('HTTP/1.1 200 OK\r\nx: ', 'y'.repeat(9000)),
  ),
  one('headers without end', false, FAILED, endless('HTTP/1.1 200 OK\r\n', 'x: y\r\n'.repeat(500))),
  one(
    'interim answers without end',
    false,
    FAILED,
    endless('', 'HTTP/1.1 103 x\r\n\r\n'.repeat(99)),
  ),
  one('a head in drips', false, FAILED, drip('HTTP/1.1 200 OK\r\n', 'x: y\r\n')),
  one('a body in drips', false, FAILED, drip(LONG_JSON, 'y')),
  one('a whole answer that does not end', false, FAILED, endless(LONG_JSON, 'y'.repeat(MEGABYTE))),
  one(
    'a whole answer in chunks of one byte',
    false,
    FAILED,
    endless(CHUNKED_JSON, '1\r\ny\r\n'.repeat(9000)),
  ),
  one(
    'a chunk’s extension without end',
    false,
    FAILED,
    endless(`${CHUNKED_JSON}1;`, 'x'.repeat(9000)),
  ),
  one('a trailer without end', false, FAILED, endless(`${CHUNKED_JSON}0\r\nx: `, 'y'.repeat(9000))),
  one(
    'a chunk of 2^48 bytes',
    false,
    FAILED,
    endless(`${CHUNKED_JSON}ffffffffffff\r\n`, 'y'.repeat(MEGABYTE)),
  ),
  one(
    'an error that does not end',
    false,
    FAILED,
    endless('HTTP/1.1 500 x\r\n\r\n', 'y'.repeat(MEGABYTE)),
  ),
  one('an event that does not end', true, FAILED, endless(`${EVENTS}data: `, 'y'.repeat(MEGABYTE))),
  one(
    'an event in chunks of one byte',
    true,
    FAILED,
    endless(`${CHUNKED_EVENTS}`, '1\r\ny\r\n'.repeat(9000)),
  ),
  one(
    'a line of an event that begins anew for ever',
    true,
    FAILED,
    endless(EVENTS, 'data: y\n'.repeat(9000)),
  ),
  one('comments without end', true, FAILED, endless(EVENTS, ': well\n\n'.repeat(99))),
  one('an event in drips', true, FAILED, drip(`${EVENTS}${delta('a')}data: `, 'y')),
  one('a stream that does not end', true, FAILED, endless(EVENTS, delta('word '.repeat(50)))),
  one('tiny events without end', true, FAILED, endless(EVENTS, 'data:{}\n\n'.repeat(999))),
  one(
    'events of a megabyte without end',
    true,
    FAILED,
    endless(EVENTS, delta('y'.repeat(MEGABYTE))),
  ),
  one('silence', false, FAILED, () => {}),
  one('silence in a stream', true, FAILED, (socket) => void socket.write(EVENTS + delta('a'))),
];
