import type { Socket } from 'node:net';
import type { TurnEnd } from '../../clock/turn-end.ts';
import type { Sink, UpstreamHeaders } from '../upstream.ts';
import { requestBytes } from './request-head.ts';
import { ResponseHeads } from './response-head.ts';
import {
  type ReaderLimits,
  type ResponseEvents,
  ResponseReader,
  TURN_ROOM,
} from './response-reader.ts';

/** What a connection tells the pool that it belongs to. */
export interface ConnectionOwner {
  readonly limits: ReaderLimits;
  readonly turn: TurnEnd;
  /** It may serve another request, and hangs up by itself after so long, if it said so. */
  onIdle(connection: Connection, idle_ms: number | null): void;
  onClosed(connection: Connection): void;
  /** A request was given up for which not a byte has come in so long. */
  onSilence(silent_ms: number): void;
}

/**
 * One connection to an upstream, with at most one request on it: an answer never waits behind
 * another's. It is used again only after a response that ended where it said it would.
 */
export class Connection implements ResponseEvents {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #owned: boolean;
  readonly #heads = new ResponseHeads();
  #sink: Sink | null = null;
  #reader: ResponseReader | null = null;
  #closed = false;
  /** The sink wants nothing for now. */
  #paused = false;
  /** It has had its share of a turn: nothing is read until its next one comes. */
  #waits = false;
  /** What has been read ahead of it. */
  #rest: Buffer | null = null;
  #turn = -1;
  /** The bytes that are being read are nobody else's. */
  #own = false;
  readonly #onShare = (): void => this.#goOn();
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
    this.#owner.turn.write(() => {
      if (this.#sink === sink) this.#write(head, body, sink);
    });
  }

  #write(head: string, body: Uint8Array, sink: Sink): void {
    if (this.#closed) return;
    // Not before: what is here by now is no answer to it.
    this.#reader = new ResponseReader(this, this.#owner.limits, this.#heads);
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
    this.#socket.write(requestBytes(head, body), sent);
  }

  /** Bytes have come; those that nobody has asked for yet end the connection. */
  receive(bytes: Buffer): void {
    if (this.#closed) return;
    const reader = this.#reader;
    if (reader === null) {
      this.destroy();
      return;
    }
    const { turn } = this.#owner;
    if (this.#turn !== turn.number) {
      this.#turn = turn.number;
      reader.room = TURN_ROOM;
    }
    this.#read(reader, bytes, this.#owned);
  }

  #read(reader: ResponseReader, bytes: Buffer, own: boolean): void {
    this.#own = own;
    try {
      const rest = reader.push(bytes);
      if (reader.room <= 0 && this.#reader === reader) this.#wait(rest, own);
    } catch (thrown) {
      this.#lost(thrown as Error);
    }
  }

  /**
   * Whoever sends more than there is room for in a turn would have the event loop for themselves:
   * the system reads on and on where it is not told to stop.
   */
  #wait(rest: Buffer | null, own: boolean): void {
    this.#rest = rest === null || own ? rest : Buffer.from(rest);
    this.#waits = true;
    this.#socket.pause();
    this.#owner.turn.share(this.#onShare);
  }

  #goOn(): void {
    this.#waits = false;
    if (this.#closed || this.#paused) return;
    const [reader, rest] = [this.#reader, this.#rest];
    this.#rest = null;
    if (reader && rest) {
      this.#turn = this.#owner.turn.number;
      reader.room = TURN_ROOM;
      this.#read(reader, rest, true);
    }
    if (!this.#waits && !this.#paused && !this.#closed) this.#socket.resume();
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.#sink?.onHeaders(status, headers);
  }

  onBody(bytes: Buffer): void {
    this.#sink?.onData(this.#own ? bytes : Buffer.from(bytes));
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
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#closed || this.#waits) return;
    if (this.#rest) this.#wait(this.#rest, true);
    else this.#socket.resume();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader = null;
    this.#rest = null;
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
