/** What a client's connection may take: of time, so that slow ones cannot hold the listener. */
export interface ListenerLimits {
  /** From a request's first byte, or the connection's start, to the end of its headers. */
  readonly headers_ms: number;
  /** From a request's first byte to its body's last. */
  readonly body_ms: number;
  /** Between requests on one connection. */
  readonly keep_alive_ms: number;
  /** A client that takes nothing of its answer for so long has left. */
  readonly stall_ms: number;
  /** Connections at once; further ones are closed. */
  readonly connections_max: number;
}

export const LISTENER_LIMITS: ListenerLimits = {
  headers_ms: 10_000,
  body_ms: 30_000,
  keep_alive_ms: 65_000,
  stall_ms: 60_000,
  connections_max: 16_384,
};
