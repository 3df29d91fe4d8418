import type { Metrics } from '../../core/metrics.ts';

/**
 * Answers and unfinished events up to here are not counted: nearly all, and their calls are bounded
 * in number.
 */
export const UNCOUNTED_BYTES = 64 * 1024;

/**
 * The bytes of clients and upstreams that all calls together hold in memory: request bodies, as
 * they arrive, large whole answers, and answers that are held back. Slow senders, long queues and
 * endless answers end at this bound.
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
  const sum: Sum = { bytes: 0, metrics };
  return { open: (bytes_max) => new HeldAccount(sum, bytes_max) };
}

/** Of all accounts. */
interface Sum {
  bytes: number;
  readonly metrics: Metrics;
}

class HeldAccount implements Account {
  readonly #sum: Sum;
  readonly #bytes_max: number;
  #taken = 0;

  constructor(sum: Sum, bytes_max: number) {
    this.#sum = sum;
    this.#bytes_max = bytes_max;
  }

  take(bytes: number): boolean {
    if (this.#sum.bytes + bytes > this.#bytes_max) return false;
    this.#taken += bytes;
    this.#add(bytes);
    return true;
  }

  release(): void {
    if (this.#taken > 0) this.#add(-this.#taken);
    this.#taken = 0;
  }

  #add(bytes: number): void {
    this.#sum.bytes += bytes;
    this.#sum.metrics.set('hive_held_bytes', this.#sum.bytes);
  }
}
