import CircuitBreaker from 'opossum';

/**
 * What keeps a plugin that fails, or is slow, from costing every call: after enough bad runs its
 * hooks are passed over for a while, then one run is tried. opossum judges hooks that return a
 * promise; synchronous ones are counted here with the same settings, since a promise would cost
 * more than they.
 */
export interface Fuse {
  /** Whether a hook may run now. At most one run is let through while the fuse is half open. */
  admits(now_ms: number): boolean;
  /** A synchronous run ended, after `took_ms`. */
  record(ok: boolean, now_ms: number, took_ms?: number): void;
  /** An asynchronous run under way: it is judged when the promise settles. */
  watch(work: Promise<unknown>): void;
  close(): void;
  /** It was closed: whoever holds it is to take another. */
  readonly closed: boolean;
  /** Hooks are passed over now, or one run is being tried. */
  readonly open: boolean;
  readonly tally: FuseTally;
}

/** What has become of a plugin's hooks; changed in place, since it is counted at every call. */
export interface FuseTally {
  /** Calls that entered the plugin. */
  calls: number;
  /** Milliseconds that its synchronous hooks took, all of a call together. */
  ms: number;
  /** Hooks that were passed over, failed or came late. */
  bypassed: number;
}

const VOLUME_MIN = 10;
const FAILURES_PERCENT = 50;
const WINDOW_MS = 10_000;
const OPEN_MS = 10_000;

export function createFuse(): Fuse {
  let breaker: CircuitBreaker<[Promise<unknown>], unknown> | null = null;
  let window_ms = Number.NEGATIVE_INFINITY;
  let runs = 0;
  let failures = 0;
  let opened_ms: number | null = null;
  /** A run was let through while open; its result decides. */
  let probing = false;
  let closed = false;
  const tally: FuseTally = { calls: 0, ms: 0, bypassed: 0 };

  const restart = (now_ms: number): void => {
    window_ms = now_ms;
    runs = 0;
    failures = 0;
  };

  return {
    admits(now_ms) {
      if (breaker !== null && !breaker.closed && !breaker.pendingClose) return false;
      if (opened_ms === null) {
        tally.calls += 1;
        return true;
      }
      if (now_ms - opened_ms < OPEN_MS) return false;
      tally.calls += 1;
      // Should the run let through never report, the next is let through as much later.
      opened_ms = now_ms;
      probing = true;
      return true;
    },
    record(ok, now_ms, took_ms = 0) {
      tally.ms += took_ms;
      if (opened_ms !== null) {
        if (!probing) return;
        opened_ms = ok ? null : now_ms;
        probing = false;
        restart(now_ms);
        return;
      }
      if (now_ms - window_ms > WINDOW_MS) restart(now_ms);
      runs += 1;
      if (!ok) failures += 1;
      if (runs >= VOLUME_MIN && failures * 100 > runs * FAILURES_PERCENT) opened_ms = now_ms;
    },
    watch(work) {
      breaker ??= new CircuitBreaker<[Promise<unknown>], unknown>((promise) => promise, {
        timeout: false,
        volumeThreshold: VOLUME_MIN,
        errorThresholdPercentage: FAILURES_PERCENT,
        rollingCountTimeout: WINDOW_MS,
        resetTimeout: OPEN_MS,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
      });
      breaker.fire(work).catch(() => {});
    },
    close() {
      closed = true;
      breaker?.shutdown();
    },
    get closed() {
      return closed;
    },
    get open() {
      return opened_ms !== null || (breaker !== null && !breaker.closed);
    },
    tally,
  };
}
