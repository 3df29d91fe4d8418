import type { Socket } from 'node:net';
import type { TurnEnd } from '../../clock/turn-end.ts';
import { type Dialer, RECEIVER, type ReadSocket } from '../egress.ts';
import type { Sending, Sink } from '../upstream.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import type { ReaderLimits } from './response-reader.ts';

export interface PoolOptions {
  readonly origin: URL;
  readonly dial: Dialer;
  readonly limits: ReaderLimits;
  readonly idle_ms: number;
  readonly idle_max: number;
  readonly monotonic_ms: () => number;
  readonly turn: TurnEnd;
  readonly onDialError: (error: Error) => void;
}

export interface PooledRequest {
  readonly head: string;
  readonly body: Uint8Array;
}

/**
 * The connections to one origin: the one that rested least is used first, so that those which a
 * quiet hour does not need close by themselves. There is no line: limits are the gateway's.
 */
export class ConnectionPool implements ConnectionOwner {
  readonly #options: PoolOptions;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #dialling = new Set<PooledSending>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get limits(): ReaderLimits {
    return this.#options.limits;
  }

  get turn(): TurnEnd {
    return this.#options.turn;
  }

  send(request: PooledRequest, sink: Sink): Sending {
    const sending = new PooledSending(sink);
    const connection = this.#takeIdle();
    if (connection) sending.begin(connection, request);
    else this.#dial(sending, request);
    return sending;
  }

  /** Ends the connections that rest, and the others with their request. */
  close(): void {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Ends all, requests under way included. */
  destroy(): void {
    this.close();
    for (const sending of this.#dialling) sending.fail(new Error('the pool is closed'));
    for (const connection of this.#all) connection.destroy();
  }

  onIdle(connection: Connection, idle_ms: number | null): void {
    const { idle_max } = this.#options;
    const now_ms = this.#options.monotonic_ms();
    // A second before it hangs up: a request that meets the farewell is lost.
    const rest_ms = Math.min(this.#options.idle_ms, (idle_ms ?? Number.MAX_VALUE) - GRACE_MS);
    if (this.#closed || rest_ms <= 0 || this.#idle.length >= idle_max) {
      connection.destroy();
      return;
    }
    connection.good_until_ms = now_ms + rest_ms;
    connection.idle_since_ms = now_ms;
    this.#idle.push(connection);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  onClosed(connection: Connection): void {
    this.#all.delete(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  /**
   * A network that has lost one connection without a word may have lost all: those on which nothing
   * has come since then are closed, or call after call would wait in vain.
   */
  onSilence(silent_ms: number): void {
    const since_ms = this.#options.monotonic_ms() - silent_ms;
    const doubtful = this.#idle.filter(({ idle_since_ms }) => idle_since_ms <= since_ms);
    for (const connection of doubtful) connection.destroy();
  }

  #takeIdle(): Connection | null {
    for (let one = this.#idle.pop(); one; one = this.#idle.pop()) {
      if (one.usable && this.#options.monotonic_ms() < one.good_until_ms) return one;
      one.destroy();
    }
    return null;
  }

  #sweep(): void {
    const now_ms = this.#options.monotonic_ms();
    const over = this.#idle.filter(({ good_until_ms }) => good_until_ms <= now_ms);
    for (const connection of over) connection.destroy();
    if (this.#idle.length > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #dial(sending: PooledSending, request: PooledRequest): void {
    const { origin, dial, onDialError } = this.#options;
    const { protocol, hostname, host, port } = origin;
    const named = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    this.#dialling.add(sending);
    dial({ protocol, hostname: named, host, port }, (error, socket) => {
      this.#dialling.delete(sending);
      if (error) {
        onDialError(error);
        sending.fail(error);
        return;
      }
      const connection = this.#connect(socket);
      if (this.#closed && sending.over) connection.destroy();
      else if (sending.over) this.onIdle(connection, null);
      else sending.begin(connection, request);
    });
  }

  #connect(socket: Socket): Connection {
    const reader = socket as ReadSocket;
    const shared = reader[RECEIVER] !== undefined;
    const connection = new Connection(socket, this, !shared);
    if (shared) reader[RECEIVER] = connection;
    else socket.on('data', (bytes: Buffer) => connection.receive(bytes));
    this.#all.add(connection);
    return connection;
  }
}

/** How long before an upstream hangs up a connection is no longer used. */
const GRACE_MS = 1000;
const SWEEP_MS = 1000;

/** A request on its way: first to a connection, then on it. */
class PooledSending implements Sending, Sink {
  #sink: Sink | null;
  #connection: Connection | null = null;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get over(): boolean {
    return this.#sink === null;
  }

  begin(connection: Connection, { head, body }: PooledRequest): void {
    this.#connection = connection;
    connection.send(head, body, this);
  }

  fail(error: Error): void {
    const sink = this.#sink;
    this.#sink = null;
    // Whoever sent it does not hold the handle yet.
    if (sink) queueMicrotask(() => sink.onError(error));
  }

  abort(silent_ms = 0): void {
    this.#sink = null;
    const connection = this.#connection;
    this.#connection = null;
    connection?.abandon(silent_ms);
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  onSent(): void {
    this.#sink?.onSent();
  }

  onHeaders(status: number, headers: Parameters<Sink['onHeaders']>[1]): void {
    this.#sink?.onHeaders(status, headers);
  }

  onData(bytes: Uint8Array): void {
    this.#sink?.onData(bytes);
  }

  onEnd(): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#connection = null;
    sink?.onEnd();
  }

  onError(error: Error): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#connection = null;
    sink?.onError(error);
  }
}
