/** How a call's trouble is met: the policy's `resilience` and `timeouts`. */

/** A second attempt elsewhere when the first has no first token after `after_ms`. */
export type Hedge = 'off' | { readonly after_ms: number };

/** What a stream that breaks off becomes: an error event, or (held back whole) a fallback's. */
export type Midstream = 'error' | 'hold';

export interface Timeouts {
  readonly connect_ms: number;
  /**
   * From the request's last byte sent to a stream's first token. A whole answer's first byte
   * follows its last token, so only `total_ms` bounds one.
   */
  readonly first_token_ms: number;
  /** Between two chunks. */
  readonly idle_ms: number;
  readonly total_ms: number;
}

export interface Resilience {
  readonly timeouts: Timeouts;
  /**
   * `retries` counts further attempts of one call over all targets, before the first token only;
   * `budget` bounds those of all calls together, as a share of the calls.
   */
  readonly retry: {
    readonly retries: number;
    readonly budget: number;
    readonly backoff_ms: readonly [number, number];
  };
  /**
   * The share of errors that opens a target's breaker, over at least `calls_min` calls in 10 s; or
   * so many `failures` in a row, however few the calls.
   */
  readonly breaker: {
    readonly errors: number;
    readonly calls_min: number;
    readonly failures: number;
    readonly open_ms: number;
  };
  /** Answers of one call that plugins may refuse, and of all calls as a share of those checked. */
  readonly escalation: { readonly most: number; readonly budget: number };
  readonly hedge: Hedge;
  readonly overload: {
    /** Calls that wait for their first byte at once, in all and per target. */
    readonly in_flight: 'adaptive' | number;
    /** How long, and how many, calls beyond that wait for a place. */
    readonly queue_ms: number;
    readonly queue_max: number;
    /** Request bodies and held answers in memory, of all calls together. */
    readonly bytes_max: number;
  };
  readonly midstream: Midstream;
  /** Of a held answer; a longer one is passed on as it comes. */
  readonly hold_bytes_max: number;
}
