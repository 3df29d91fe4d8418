import type { Metrics } from '../core/metrics.ts';

/**
 * The bytes of clients and upstreams that all calls together hold in memory: request bodies, as
 * they arrive, and answers that are held back. Slow senders and long queues end at this bound.
 */
export interface HeldBytes {
  open(bytes_max: number): Account;
}

export interface Account {
  /** Whether so many more may be held; they are counted if so. */
  take(bytes: number): boolean;
  /** Gives back all that this account took. */
  release(): void;
}

export function createHeldBytes(metrics: Metrics): HeldBytes {
  let total = 0;
  const add = (bytes: number): void => {
    total += bytes;
    metrics.set('hive_held_bytes', total);
  };
  return {
    open(bytes_max) {
      let taken = 0;
      return {
        take(bytes) {
          if (total + bytes > bytes_max) return false;
          taken += bytes;
          add(bytes);
          return true;
        },
        release() {
          add(-taken);
          taken = 0;
        },
      };
    },
  };
}
