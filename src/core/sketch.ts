import type { Sketch } from './observation.ts';

/**
 * DDSketch (Ch. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch
 * with Relative-Error Guarantees", PVLDB 12(12), 2019). A value x > 0 falls into bin ⌈log_γ x⌉ with
 * γ = (1 + a) / (1 − a), and a bin answers with 2γ^i / (γ + 1), which is within the share a of
 * every value in it. Adding and merging are sums by bin, so they commute and associate.
 */
export const SKETCH_ACCURACY = 0.01;

/**
 * Bins from the highest downwards; what lies lower is counted in the lowest of them. 1,024 bins of
 * 1 % span a ratio of 10^8.9, more than any quantity here has: quantiles near the top stay right.
 */
export const SKETCH_BINS_MAX = 1024;

const GAMMA = (1 + SKETCH_ACCURACY) / (1 - SKETCH_ACCURACY);
const LN_GAMMA = Math.log(GAMMA);

/** A sketch that is still being added to: dense counts of the bins from `lowest` upwards. */
export interface Tally {
  sum: number;
  min: number;
  max: number;
  zeros: number;
  lowest: number;
  counts: number[];
}

export function createTally(): Tally {
  return { sum: 0, min: Infinity, max: -Infinity, zeros: 0, lowest: 0, counts: [] };
}

export function copyOfTally(tally: Tally): Tally {
  return { ...tally, counts: tally.counts.slice() };
}

/** The bin of a value; null for 0 and less, which have none. Not for NaN or infinities. */
export function binOf(value: number): number | null {
  return value > 0 ? Math.ceil(Math.log(value) / LN_GAMMA) : null;
}

/** Adds a value whose bin is known, so that one logarithm serves many tallies. */
export function addToTally(tally: Tally, value: number, bin: number | null): void {
  tally.sum += value;
  if (value < tally.min) tally.min = value;
  if (value > tally.max) tally.max = value;
  if (bin === null) tally.zeros += 1;
  else addBin(tally, bin, 1);
}

/** Adds a sketch's bins; a merge in any order and grouping gives the same bins. */
export function mergeTally(into: Tally, from: Tally): void {
  into.sum += from.sum;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
  into.zeros += from.zeros;
  const { counts, lowest } = from;
  if (counts.length === 0) return;
  if (into.counts.length === 0) {
    into.lowest = lowest;
    into.counts = counts.slice();
    return;
  }
  widen(into, lowest + counts.length - 1);
  widen(into, lowest);
  const sums = into.counts;
  const by = lowest - into.lowest;
  for (let at = 0; at < counts.length; at += 1) {
    const to = Math.max(0, at + by);
    sums[to] = (sums[to] as number) + (counts[at] as number);
  }
}

function addBin(tally: Tally, bin: number, times: number): void {
  const known = bin - tally.lowest;
  if (known < 0 || known >= tally.counts.length) widen(tally, bin);
  const at = Math.max(0, bin - tally.lowest);
  tally.counts[at] = (tally.counts[at] as number) + times;
}

/** Makes room for a bin; a new highest bin collapses what no longer fits below it. */
function widen(tally: Tally, bin: number): void {
  const { counts } = tally;
  if (counts.length === 0) {
    tally.lowest = bin;
    counts.push(0);
    return;
  }
  const highest = tally.lowest + counts.length - 1;
  if (bin < tally.lowest) {
    const least = highest - SKETCH_BINS_MAX + 1;
    // With room to spare: values come in any order, and each move copies all counts.
    const lowest = Math.max(bin - SPARE_BINS, least);
    if (lowest < tally.lowest) {
      tally.counts = zeros(tally.lowest - lowest).concat(counts);
      tally.lowest = lowest;
    }
    return;
  }
  for (let next = highest + 1; next <= bin && next - highest <= SKETCH_BINS_MAX; next += 1) {
    counts.push(0);
  }
  if (counts.length > SKETCH_BINS_MAX || bin - highest > SKETCH_BINS_MAX) collapse(tally, bin);
}

const SPARE_BINS = 32;

/** Pushed one by one: it takes a tenth of the time of `Array.from`, and has no holes. */
function zeros(length: number): number[] {
  const counts: number[] = [];
  for (let at = 0; at < length; at += 1) counts.push(0);
  return counts;
}

function collapse(tally: Tally, highest: number): void {
  const lowest = highest - SKETCH_BINS_MAX + 1;
  const kept = zeros(SKETCH_BINS_MAX);
  for (const [at, times] of tally.counts.entries()) {
    const to = Math.max(0, tally.lowest + at - lowest);
    if (times > 0) kept[to] = (kept[to] as number) + times;
  }
  tally.lowest = lowest;
  tally.counts = kept;
}

export function countOf({ zeros, counts }: Tally): number {
  let count = zeros;
  for (const times of counts) count += times;
  return count;
}

/** A tally as data; null where nothing was added. */
export function sketchOf(tally: Tally): Sketch | null {
  const bins: [number, number][] = [];
  let count = tally.zeros;
  const { counts, lowest } = tally;
  for (let at = 0; at < counts.length; at += 1) {
    const times = counts[at] as number;
    if (times === 0) continue;
    bins.push([lowest + at, times]);
    count += times;
  }
  if (count === 0) return null;
  const { sum, min, max, zeros } = tally;
  return { accuracy: SKETCH_ACCURACY, count, sum, min, max, zeros, bins };
}

export function tallyOf(sketch: Sketch): Tally {
  const tally = createTally();
  const highest = sketch.bins.at(-1);
  if (highest) widen(tally, highest[0]);
  for (const [bin, times] of sketch.bins) addBin(tally, bin, times);
  const { sum, min, max, zeros } = sketch;
  return Object.assign(tally, { sum, min, max, zeros });
}

/** The sketch of values; null of none. Values that are not finite are left out. */
export function sketchValues(values: Iterable<number>): Sketch | null {
  const tally = createTally();
  for (const value of values) {
    if (Number.isFinite(value)) addToTally(tally, value, binOf(value));
  }
  return sketchOf(tally);
}

export function mergeSketches(sketches: Iterable<Sketch>): Sketch | null {
  const [first, ...others] = sketches;
  if (first && others.length === 0 && isWithinBins(first)) return first;
  const tally = createTally();
  for (const sketch of first ? [first, ...others] : []) mergeTally(tally, tallyOf(sketch));
  return sketchOf(tally);
}

/** Whether adding it up would leave it as it is: nothing, or more bins than are kept, would not. */
function isWithinBins({ accuracy, count, bins }: Sketch): boolean {
  const [lowest, highest] = [bins[0]?.[0] ?? 0, bins.at(-1)?.[0] ?? 0];
  return accuracy === SKETCH_ACCURACY && count > 0 && highest - lowest < SKETCH_BINS_MAX;
}

export function sketchMean({ sum, count }: Sketch): number {
  return sum / count;
}

/** The q-quantile, 0 ≤ q ≤ 1: within `accuracy` of the value of rank ⌊q (n − 1)⌋. */
export function sketchQuantile(sketch: Sketch, q: number): number {
  return valueAtRank(sketch, Math.floor(q * (sketch.count - 1)));
}

/** The same of a tally, without making a sketch of it; null where nothing was added. */
export function tallyQuantile(tally: Tally, q: number): number | null {
  const count = countOf(tally);
  if (count === 0) return null;
  const rank = Math.floor(q * (count - 1));
  let below = tally.zeros;
  if (rank < below) return clamp(0, tally);
  for (let at = 0; at < tally.counts.length; at += 1) {
    below += tally.counts[at] as number;
    if (rank < below) return clamp(binValue(tally.lowest + at), tally);
  }
  return tally.max;
}

function valueAtRank(sketch: Sketch, rank: number): number {
  let below = sketch.zeros;
  if (rank < below) return clamp(0, sketch);
  for (const held of sketch.bins) {
    below += held[1];
    if (rank < below) return clamp(binValue(held[0]), sketch);
  }
  return sketch.max;
}

function binValue(bin: number): number {
  return (2 * GAMMA ** bin) / (GAMMA + 1);
}

function clamp(
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  return Math.min(max, Math.max(min, value));
}
