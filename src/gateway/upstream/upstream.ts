import type { Network } from '../../core/network.ts';

/** A connection to an upstream, as little of it as the gateway needs: bytes out, bytes in. */
export interface Upstream {
  /** Sends one request. The sink hears of it in order, from a later turn on, until it has ended. */
  send(request: Outgoing, sink: Sink): Sending;
  close(): Promise<void>;
}

export interface Outgoing {
  /** The provider's own: its credentials go to its scheme, host and port, and nowhere else. */
  readonly base_url: string;
  /** Where that may be. */
  readonly network: Network;
  readonly connect_ms: number;
  readonly method: 'GET' | 'DELETE' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
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
  /**
   * Gives the request up and closes its connection; the sink hears nothing more. `silent_ms`: not a
   * byte has come for so long, so that connections at rest for longer are no better known.
   */
  abort(silent_ms?: number): void;
  pause(): void;
  resume(): void;
}

/** Of a whole answer, or of a stream in all; packed and unpacked. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export type UpstreamHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
