/**
 * How many calls may wait for their first byte at once, found by the time that it takes: where it
 * grows beyond what is usual while the limit is in use, the calls queue at the upstream, and fewer
 * of them at a time are served just as fast. Streams and whole answers have a yardstick each.
 */
export class AdaptiveLimit {
  #limit = LIMIT_START;
  #busiest = 0;
  /** Calls that waited, summed over the window's first bytes. */
  #waited = 0;
  #since_ms: number | null = null;
  readonly #kinds = { stream: newKind(), whole: newKind() };

  get limit(): number {
    return this.#limit;
  }

  /** The usual time of a kind, or null where nothing is known of it. */
  usual(kind: Kind): number | null {
    return this.#kinds[kind].usual;
  }

  /** One more first byte, after `ms`; `waiting` calls were waiting for theirs. */
  observe(kind: Kind, ms: number, waiting: number, now_ms: number): void {
    this.#since_ms ??= now_ms;
    this.#busiest = Math.max(this.#busiest, waiting);
    this.#waited += waiting;
    const seen = this.#kinds[kind];
    seen.count += 1;
    seen.sum += ms;
    if (now_ms - this.#since_ms < WINDOW_MS) return;
    const samples = this.#kinds.stream.count + this.#kinds.whole.count;
    if (samples < SAMPLES_MIN) return;
    this.#adapt(waiting, this.#waited / samples);
    this.#since_ms = now_ms;
    this.#busiest = 0;
    this.#waited = 0;
  }

  #adapt(waiting: number, waited: number): void {
    const busy = this.#busiest >= this.#limit / 2;
    // What is slow while the limit is in use may be slow because of it. At the least limit that is
    // no reason any more, once those beyond it are gone: what it takes there is what is usual now.
    const least = this.#limit <= LIMIT_MIN && this.#busiest <= this.#limit;
    const slower = !busy ? SLOWER : least ? MEASURED : 0;
    const slowness = slownessOf([this.#kinds.stream, this.#kinds.whole], slower);
    if (!busy) return;
    if (slowness > TOLERANCE) {
      // Until those beyond the limit are gone, the times tell of them and not of the limit.
      if (waiting > this.#limit) return;
      // What is answered in the usual time is what the upstream can do at once (Little's law). The
      // mean, since at a moment all may have been answered together and few be waiting.
      const fit = Math.max(waited, this.#limit / 2) * (TOLERANCE / slowness);
      // Far from it the way is short; near to it one bad half second must not empty the upstream.
      const step = fit < this.#limit / FAR ? this.#limit / 10 : this.#limit * NEAR;
      this.#limit = Math.floor(Math.max(LIMIT_MIN, step, fit));
    } else {
      const more = Math.ceil(Math.max(Math.sqrt(this.#limit), this.#limit / 10));
      this.#limit = Math.min(LIMIT_MAX, this.#limit + more);
    }
  }
}

export type Kind = 'stream' | 'whole';

interface Seen {
  usual: number | null;
  count: number;
  sum: number;
}

const WINDOW_MS = 500;
const SAMPLES_MIN = 10;
/** High, since only experience can tell: a first byte may take a minute where models think. */
export const LIMIT_START = 1000;
export const LIMIT_MIN = 16;
export const LIMIT_MAX = 100_000;
/** Prompts differ, and so do their times; only what is far from usual is a queue. */
const TOLERANCE = 1.5;
/** What got faster is believed soon, what got slower later. */
const FASTER = 0.2;
const SLOWER = 0.02;
const MEASURED = 0.3;
const FAR = 3;
const NEAR = 0.7;

function newKind(): Seen {
  return { usual: null, count: 0, sum: 0 };
}

/** How many times the usual it takes now, over both kinds by their calls; begins them anew. */
function slownessOf(kinds: readonly Seen[], slower: number): number {
  let weighted = 0;
  let count = 0;
  for (const seen of kinds) {
    if (seen.count === 0) continue;
    const mean = seen.sum / seen.count;
    const usual = seen.usual ?? mean;
    seen.usual = usual + (mean - usual) * (mean < usual ? FASTER : slower);
    weighted += (mean / Math.max(usual, 0.001)) * seen.count;
    count += seen.count;
    seen.count = 0;
    seen.sum = 0;
  }
  return count > 0 ? weighted / count : 1;
}
