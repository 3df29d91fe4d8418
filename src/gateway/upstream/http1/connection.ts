import type { Socket } from 'node:net';
import type { Sink, UpstreamHeaders } from '../upstream.ts';
import { type ReaderLimits, type ResponseEvents, ResponseReader } from './response-reader.ts';

/** What a connection tells the pool that it belongs to. */
export interface ConnectionOwner {
  readonly limits: ReaderLimits;
  /** It may serve another request, and hangs up by itself after so long, if it said so. */
  onIdle(connection: Connection, idle_ms: number | null): void;
  onClosed(connection: Connection): void;
  /** A request was given up for which not a byte has come in so long. */
  onSilence(silent_ms: number): void;
  /** Writes when this turn of the event loop ends. */
  write(work: () => void): void;
}

/**
 * One connection to an upstream, with at most one request on it: an answer never waits behind
 * another's. It is used again only after a response that ended where it said it would.
 */
export class Connection implements ResponseEvents {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #owned: boolean;
  #sink: Sink | null = null;
  #reader: ResponseReader | null = null;
  #closed = false;
  #paused = false;
  /** Until when it may be trusted to stay open, by the pool's clock; while it rests. */
  good_until_ms = 0;
  /** Since when it rests. */
  idle_since_ms = 0;

  /** `owned`: what the socket hands over is nobody else's, so it need not be copied. */
  constructor(socket: Socket, owner: ConnectionOwner, owned: boolean) {
    this.#socket = socket;
    this.#owner = owner;
    this.#owned = owned;
    socket.on('error', (error) => this.#lost(error));
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#lost(new Error('the connection was closed')));
  }

  get usable(): boolean {
    return !this.#closed && this.#sink === null && this.#socket.writable;
  }

  send(head: string, body: Uint8Array, sink: Sink): void {
    this.#sink = sink;
    this.#reader = new ResponseReader(this, this.#owner.limits);
    this.#owner.write(() => {
      if (this.#sink === sink) this.#write(head, body, sink);
    });
  }

  #write(head: string, body: Uint8Array, sink: Sink): void {
    const sent = (error?: Error | null): void => {
      if (!error && this.#sink === sink) sink.onSent();
    };
    if (body.length > ONE_WRITE_MAX) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body, sent);
      this.#socket.uncork();
      return;
    }
    // One write is one packet and one call of the system.
    const bytes = Buffer.allocUnsafe(head.length + body.length);
    bytes.write(head, 0, 'latin1');
    bytes.set(body, head.length);
    this.#socket.write(bytes, sent);
  }

  /** Bytes have come; those that nobody asked for end the connection. */
  receive(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      if (this.#reader) this.#reader.push(bytes);
      else this.destroy();
    } catch (thrown) {
      this.#lost(thrown as Error);
    }
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.#sink?.onHeaders(status, headers);
  }

  onBody(bytes: Buffer): void {
    this.#sink?.onData(this.#owned ? bytes : Buffer.from(bytes));
  }

  onOver(reusable: boolean, idle_ms: number | null): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#reader = null;
    // Nobody is left who would resume it.
    this.resume();
    // The request may still be on its way: whoever answers early does not want the rest.
    if (reusable && !this.#closed && this.#socket.writableLength === 0) {
      this.#owner.onIdle(this, idle_ms);
    } else {
      this.destroy();
    }
    sink?.onEnd();
  }

  /** Nothing more is heard of the request, nor has been for so long. */
  abandon(silent_ms: number): void {
    this.#sink = null;
    this.destroy();
    if (silent_ms > 0) this.#owner.onSilence(silent_ms);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#paused && !this.#closed) this.#socket.resume();
    this.#paused = false;
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader = null;
    this.#socket.destroy();
    this.#owner.onClosed(this);
  }

  #ended(): void {
    try {
      this.#reader?.end();
    } catch (thrown) {
      this.#lost(thrown as Error);
    }
    this.destroy();
  }

  #lost(error: Error): void {
    const sink = this.#sink;
    this.#sink = null;
    this.destroy();
    sink?.onError(error);
  }
}

/** Above it copying a body costs more than a second buffer in one call of the system. */
const ONE_WRITE_MAX = 64 * 1024;
