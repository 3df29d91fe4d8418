/**
 * How soon targets begin to answer: a moving mean of the time to the first byte, by target and by
 * the size of the prompt, since a long prompt takes longer everywhere.
 */
export interface FirstBytes {
  /** By target: a mean for each bucket, NaN where nothing is known. */
  readonly means: Map<string, Float64Array>;
}

export const SIZE_BUCKETS = 5;
/** Each observation counts for so much: half of what is known is of the last 7 calls. */
const RATE = 0.1;
/** A failure counts as an answer so many times as slow as usual, and at least so slow. */
const FAILURE_TIMES = 4;
const FAILURE_MS = 5_000;
/** Targets that are remembered: a policy that changes often must not fill the memory. */
const TARGETS_MAX = 256;

export const createFirstBytes = (): FirstBytes => ({ means: new Map() });

/** Under 1 KiB, 4, 16, 64 KiB, and above. */
export function sizeBucket(bytes: number): number {
  if (bytes < 1024) return 0;
  return Math.min(SIZE_BUCKETS - 1, 1 + Math.floor(Math.log2(bytes / 1024) / 2));
}

/** `ms` is null for an attempt that failed. */
export function observeFirstByte(
  { means }: FirstBytes,
  target: string,
  bucket: number,
  ms: number | null,
): void {
  let mine = means.get(target);
  if (mine === undefined) {
    if (means.size >= TARGETS_MAX) means.delete(means.keys().next().value as string);
    mine = new Float64Array(SIZE_BUCKETS).fill(Number.NaN);
    means.set(target, mine);
  }
  const old = mine[bucket] as number;
  const known = Number.isNaN(old) ? null : old;
  const value = ms ?? Math.max(FAILURE_MS, FAILURE_TIMES * (known ?? 0));
  mine[bucket] = known === null ? value : known + RATE * (value - known);
}

/** Of this size, else of the nearest size known, else 0: who was never asked is asked first. */
export function expectedFirstByte({ means }: FirstBytes, target: string, bucket: number): number {
  const mine = means.get(target);
  if (mine === undefined) return 0;
  for (let away = 0; away < SIZE_BUCKETS; away += 1) {
    for (const at of [bucket - away, bucket + away]) {
      const value = mine[at];
      if (value !== undefined && !Number.isNaN(value)) return value;
    }
  }
  return 0;
}
