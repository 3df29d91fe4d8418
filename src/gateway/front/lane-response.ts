import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { OutboundResponse } from './inbound.ts';

/** The connection, as its answer sees it. */
export interface Answering {
  readonly socket: Socket;
  /** `Date`, `Connection` and `Keep-Alive`, each with its line's end. */
  closingLines(keep_alive: boolean): string;
  /** The last byte of the answer has been handed over. */
  ended(response: LaneResponse): void;
}

/** RFC 9110 §5.5: what a value may not hold, line breaks above all. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
const LAST_CHUNK = '0\r\n\r\n';

/**
 * An answer in the lane. With a `content-length` its bytes go out as they are, else in chunks; the
 * head waits for the first of them, so that both are one packet.
 */
export class LaneResponse implements OutboundResponse {
  shouldKeepAlive = true;
  headersSent = false;
  writableEnded = false;
  readonly #connection: Answering;
  #head = '';
  #chunked = true;
  #closers: (() => void)[] | null = [];

  constructor(connection: Answering) {
    this.#connection = connection;
  }

  get socket(): Socket {
    return this.#connection.socket;
  }

  /** Throws for a value that HTTP cannot carry. */
  writeHead(status: number, headers: readonly string[]): this {
    if (this.headersSent) throw new Error('The head of this answer has been written.');
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at] as string;
      const value = headers[at + 1] as string;
      if (UNFIT.test(value)) throw new TypeError(`The header ${name} has a value unfit for HTTP.`);
      if (name === 'connection') {
        this.shouldKeepAlive &&= value !== 'close';
        continue;
      }
      if (name === 'content-length') this.#chunked = false;
      head += `${name}: ${value}\r\n`;
    }
    if (this.#chunked) head += 'transfer-encoding: chunked\r\n';
    this.#head = `${head}${this.#connection.closingLines(this.shouldKeepAlive)}\r\n`;
    this.headersSent = true;
    return this;
  }

  write(bytes: Uint8Array): boolean {
    if (this.writableEnded || bytes.length === 0) return true;
    const { socket } = this.#connection;
    if (!this.#chunked) return socket.write(this.#withHead(bytes, '', ''));
    const size = `${bytes.length.toString(16)}\r\n`;
    return socket.write(this.#withHead(bytes, size, '\r\n'));
  }

  end(body?: Uint8Array | string, _encoding?: 'latin1'): this {
    if (this.writableEnded) return this;
    this.writableEnded = true;
    const { socket } = this.#connection;
    if (typeof body === 'string') {
      const text = this.#chunked ? chunkOf(body) : body;
      socket.write(this.#takeHead() + text, 'latin1');
    } else if (body === undefined || body.length === 0) {
      const text = this.#takeHead() + (this.#chunked ? LAST_CHUNK : '');
      if (text !== '') socket.write(text, 'latin1');
    } else if (this.#chunked) {
      const size = `${body.length.toString(16)}\r\n`;
      socket.write(this.#withHead(body, size, `\r\n${LAST_CHUNK}`));
    } else {
      socket.cork();
      socket.write(this.#takeHead(), 'latin1');
      socket.write(body);
      socket.uncork();
    }
    this.#connection.ended(this);
    return this;
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.#connection.socket.destroy();
  }

  on(_event: 'close', listener: () => void): this {
    if (this.#closers === null) listener();
    else this.#closers.push(listener);
    return this;
  }

  emit(_event: 'close'): boolean {
    this.close();
    return true;
  }

  once(event: 'drain', listener: () => void): this {
    this.#connection.socket.once(event, listener);
    return this;
  }

  /** The answer has left, or its connection is over: whoever waits for either is told, once. */
  close(): void {
    const closers = this.#closers;
    this.#closers = null;
    if (closers) for (const listener of closers) listener.call(this);
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  /** The head where it still waits, and the bytes between two texts, as one. */
  #withHead(bytes: Uint8Array, before: string, after: string): Buffer {
    const front = this.#takeHead() + before;
    const all = Buffer.allocUnsafe(front.length + bytes.length + after.length);
    all.write(front, 0, 'latin1');
    all.set(bytes, front.length);
    if (after !== '') all.write(after, front.length + bytes.length, 'latin1');
    return all;
  }
}

/** Of a text with a unit for each byte. */
function chunkOf(body: string): string {
  return body === '' ? LAST_CHUNK : `${body.length.toString(16)}\r\n${body}\r\n${LAST_CHUNK}`;
}
