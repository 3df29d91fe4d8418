/**
 * How one target has done of late, over all calls of one gateway process. The gateway changes it in
 * place, twice a call, and allocates nothing; plugins only read it. Times are on the monotonic
 * clock.
 */
export interface LiveFigures {
  /**
   * Moving means of the milliseconds to the first byte, NaN where nothing is known: of streams by
   * size of the request, of all streams; then the same of whole answers, whose first byte follows
   * their last token.
   */
  readonly first_byte_ms: Float64Array;
  /** Attempts that say something of the target, and those that failed: sums that decay. */
  attempts: number;
  errors: number;
  /** When the sums were last made to decay. */
  decayed_ms: number;
  /** Moving means of its answers, NaN where nothing is known. */
  cost_usd: number;
  tokens_out: number;
}

/** Requests under 4 KiB (about 1,000 tokens), under 32 KiB (8,000), and above. */
export const SIZES = ['small', 'medium', 'large'] as const;
const MEDIUM_BYTES = 4 * 1024;
const LARGE_BYTES = 32 * 1024;
const ALL = SIZES.length;
const WHOLE = ALL + 1;

/** Each observation counts for so much: half of what is known is of the last 7 answers. */
const RATE = 0.1;
/** Of prices and lengths, which vary more: of the last 14. */
const SLOW_RATE = 0.05;
/** After so long an attempt counts half. */
export const ERROR_HALF_MS = 60_000;
/** A failure counts as an answer so many times as slow as usual, and at least so slow. */
const FAILURE_TIMES = 4;
const FAILURE_MS = 5_000;

export function createFigures(): LiveFigures {
  return {
    first_byte_ms: new Float64Array(2 * WHOLE).fill(Number.NaN),
    attempts: 0,
    errors: 0,
    decayed_ms: 0,
    cost_usd: Number.NaN,
    tokens_out: Number.NaN,
  };
}

/** The index in `SIZES` of a request of so many bytes. */
export function sizeOf(bytes: number): number {
  return bytes < MEDIUM_BYTES ? 0 : bytes < LARGE_BYTES ? 1 : 2;
}

/** A first byte after `ms`; `streamed` says of what kind. */
export function observeFirstByte(
  { first_byte_ms }: LiveFigures,
  streamed: boolean,
  size: number,
  ms: number,
): void {
  const base = streamed ? 0 : WHOLE;
  first_byte_ms[base + size] = moved(first_byte_ms[base + size] as number, ms, RATE);
  first_byte_ms[base + ALL] = moved(first_byte_ms[base + ALL] as number, ms, RATE);
}

export function observeAttempt(figures: LiveFigures, ok: boolean, now_ms: number): void {
  const kept = decay(figures, now_ms);
  figures.attempts = figures.attempts * kept + 1;
  figures.errors = figures.errors * kept + (ok ? 0 : 1);
  figures.decayed_ms = now_ms;
}

/** An answer that was paid for; `usd` is null where the policy states no price. */
export function observeAnswer(figures: LiveFigures, usd: number | null, tokens_out: number): void {
  if (usd !== null) figures.cost_usd = moved(figures.cost_usd, usd, SLOW_RATE);
  figures.tokens_out = moved(figures.tokens_out, tokens_out, SLOW_RATE);
}

/** The mean of a size and kind, `all` for SIZES.length; null where nothing is known. */
export function firstByteOf(figures: LiveFigures, streamed: boolean, size: number): number | null {
  const value = figures.first_byte_ms[(streamed ? 0 : WHOLE) + size] as number;
  return Number.isNaN(value) ? null : value;
}

/**
 * The share of attempts that fail. One more is taken to have been well, so that a single failure is
 * no certainty, and that one that nobody asks any more is forgiven as its failures fade.
 */
export function errorRate(figures: LiveFigures, now_ms: number): number {
  const kept = decay(figures, now_ms);
  return (figures.errors * kept) / (figures.attempts * kept + 1);
}

/**
 * Milliseconds after which it can be expected to begin to answer such a call: by its size, else by
 * all sizes, with what its failures cost; null where nothing is known of it.
 */
export function expectedFirstByte(
  figures: LiveFigures,
  streamed: boolean,
  size: number,
  now_ms: number,
): number | null {
  const mean = firstByteOf(figures, streamed, size) ?? firstByteOf(figures, streamed, ALL);
  const failing = figures.errors === 0 ? 0 : errorRate(figures, now_ms);
  if (mean === null) return failing < FAINT ? null : failing * FAILURE_MS;
  return mean + failing * (Math.max(FAILURE_MS, FAILURE_TIMES * mean) - mean);
}

/** What is left of a failure after some 7 half-lives is no reason not to ask. */
const FAINT = 0.01;

function decay({ decayed_ms }: LiveFigures, now_ms: number): number {
  return 2 ** (-Math.max(0, now_ms - decayed_ms) / ERROR_HALF_MS);
}

function moved(mean: number, value: number, rate: number): number {
  return Number.isNaN(mean) ? value : mean + rate * (value - mean);
}
