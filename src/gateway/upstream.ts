import { LRUCache } from 'lru-cache';
import type { Dispatcher } from 'undici';
import Pool from 'undici/lib/dispatcher/pool.js';
import { type Log, silentLog } from '../core/log.ts';
import type { Network } from '../core/network.ts';
import { createDialer, REFUSED_ADDRESS } from './egress.ts';

/** A connection to an upstream, as little of it as the gateway needs: bytes out, bytes in. */
export interface Upstream {
  /** Sends one request. The sink hears of it in order, from a later turn on, until it has ended. */
  send(request: Outgoing, sink: Sink): Sending;
  close(): Promise<void>;
}

export interface Outgoing {
  readonly origin: string;
  /** Where the origin may be. */
  readonly network: Network;
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly connect_ms: number;
}

export interface Sink {
  /** The request's last byte has been handed to the socket. */
  onSent(): void;
  onHeaders(status: number, headers: UpstreamHeaders): void;
  onData(bytes: Uint8Array): void;
  /** The last thing heard of a request that came to an orderly end. */
  onEnd(): void;
  /** The last thing heard of one that did not; never after `abort`. */
  onError(error: Error): void;
}

export interface Sending {
  /** Gives the request up and closes its connection; the sink hears nothing more. */
  abort(): void;
  pause(): void;
  resume(): void;
}

export type UpstreamHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Pools kept, at most; a policy has few origins, and a swap may leave old ones behind. */
const POOLS_MAX = 64;
const HEADER_BYTES_MAX = 32 * 1024;
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;
const KEEP_ALIVE_MS = 30_000;
const REFUSALS_MS = 60_000;

/**
 * undici's dispatch, one pool an origin and network. Redirects are never followed: an upstream must
 * not choose who gets the next request. Timeouts are the gateway's own, but the one for connecting.
 */
export function createUpstream(log: Log = silentLog): Upstream {
  const closing = new Set<Promise<void>>();
  const refused = createRefusals(log);
  const pools = new LRUCache<string, Pool>({
    max: POOLS_MAX,
    dispose(pool) {
      // `close` lets requests under way end; an evicted pool is unused or nearly so.
      const closed = pool.close().finally(() => closing.delete(closed));
      closing.add(closed);
    },
  });

  const poolOf = ({ origin, network, connect_ms }: Outgoing): Pool => {
    const key = `${origin} ${network} ${connect_ms}`;
    const known = pools.get(key);
    if (known) return known;
    const made = new Pool(origin, {
      connect: createDialer(network, connect_ms),
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      maxResponseSize: RESPONSE_BYTES_MAX,
      allowH2: false,
      pipelining: 1,
    });
    pools.set(key, made);
    return made;
  };

  return {
    send(request, sink) {
      const handler = new Handler(sink, refused);
      try {
        const { method, path, headers, body } = request;
        poolOf(request).dispatch({ method, path, headers, body }, handler);
      } catch (thrown) {
        // A header or path that HTTP cannot carry.
        handler.onResponseError(null, thrown as Error);
      }
      return handler;
    },
    async close() {
      const all = [...pools.values()].map((pool) => pool.destroy());
      await Promise.allSettled([...all, ...closing]);
    },
  };
}

/** Complains of an address once a minute, however many calls would have gone there. */
function createRefusals(log: Log): (error: Error) => void {
  const told = new LRUCache<string, true>({ max: POOLS_MAX, ttl: REFUSALS_MS });
  return ({ message }) => {
    if (told.has(message)) return;
    told.set(message, true);
    log.error('an upstream is not asked: see `network` in gateway.yaml', { reason: message });
  };
}

class Handler implements Dispatcher.DispatchHandler, Sending {
  readonly #sink: Sink;
  readonly #onRefused: (error: Error) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
  #aborted = false;

  constructor(sink: Sink, onRefused: (error: Error) => void) {
    this.#sink = sink;
    this.#onRefused = onRefused;
  }

  abort(): void {
    this.#aborted = true;
    if (this.#over) return;
    this.#over = true;
    // Without a controller it still waits for a connection: onRequestStart gives it up then.
    this.#controller?.abort(new Error('given up'));
  }

  pause(): void {
    if (!this.#over) this.#controller?.pause();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('given up'));
  }

  onRequestSent(): void {
    if (!this.#over) this.#sink.onSent();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: UpstreamHeaders,
  ): void {
    // 1xx are not the answer.
    if (!this.#over && status >= 200) this.#sink.onHeaders(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#sink.onData(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if ((error as { code?: unknown }).code === REFUSED_ADDRESS) this.#onRefused(error);
    if (this.#over) return;
    this.#over = true;
    // dispatch() may fail before it returns; whoever called it does not hold the handle yet.
    queueMicrotask(() => {
      if (!this.#aborted) this.#sink.onError(error);
    });
  }
}
