import { decodeFeatures } from './call-context.ts';
import { addOuterProduct, mirror } from './positive-matrix.ts';
import { FEATURES } from './prompt-features.ts';

/** One matured reward and what its call looked like; oldest first in a list. */
export interface ContextSample {
  /** As `encodeFeatures` wrote them; null where the call was routed without. */
  readonly features: string | null;
  readonly category: string;
  readonly target: string;
  readonly reward: number;
  readonly unit?: string;
}

/** Categories that get columns of their own: those with the most calls. */
const CATEGORIES_MAX = 16;

/** What a ridge regression needs of one target's rewards. */
export interface Sums {
  n: number;
  readonly gram: Float64Array;
  readonly cross: Float64Array;
  squares: number;
}

export function mostCommon(samples: readonly ContextSample[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { category } of samples) {
    if (category !== '') counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return ordered.slice(0, CATEGORIES_MAX).map(([category]) => category);
}

export interface Row {
  readonly x: Float64Array;
  readonly known: boolean;
  readonly category: string;
  readonly arm: number;
  readonly reward: number;
  /** What it counts. */
  readonly weight: number;
}

export function readRows(
  samples: readonly ContextSample[],
  targets: readonly string[],
  categories: readonly string[],
  counts: ArrayLike<number> | null = null,
): readonly Row[] {
  return samples.flatMap(({ features, category, target, reward }, at) => {
    const arm = targets.indexOf(target);
    if (arm < 0) return [];
    const x = new Float64Array(FEATURES + categories.length);
    const known = features !== null && decodeFeatures(features, x.subarray(0, FEATURES));
    x[0] = 1;
    const own = categories.indexOf(category);
    if (own >= 0) x[FEATURES + own] = 1;
    const weight = counts === null ? 1 : (counts[at] as number);
    return [{ x, known, category, arm, reward, weight }];
  });
}

/** Of the features; neither the bias nor categories are centred. */
export function momentsOf(rows: readonly Row[], columns: number) {
  const means = new Float64Array(columns);
  const squares = new Float64Array(columns);
  const known = rows.filter((row) => row.known);
  const each = 1 / Math.max(1, known.length);
  for (const { x } of known) {
    for (let at = 0; at < columns; at += 1) {
      const value = x[at] as number;
      means[at] = (means[at] as number) + each * value;
      squares[at] = (squares[at] as number) + each * value * value;
    }
  }
  const deviations = squares.map((square, at) =>
    Math.sqrt(Math.max(0, square - (means[at] as number) ** 2)),
  );
  means[0] = 0;
  means.fill(0, FEATURES);
  return { means, deviations };
}

export function weightedMean(rows: readonly Row[]): number {
  let total = 0;
  let sum = 0;
  for (const { reward, weight } of rows) {
    total += weight;
    sum += weight * reward;
  }
  return sum / total;
}

export function sumUp(
  rows: readonly Row[],
  of: {
    readonly columns: number;
    readonly arms: number;
    readonly means: Float64Array;
    readonly mean: number;
  },
): readonly Sums[] {
  const { columns, means, mean } = of;
  const sums = Array.from({ length: of.arms }, () => ({
    n: 0,
    gram: new Float64Array(columns * columns),
    cross: new Float64Array(columns),
    squares: 0,
  }));
  for (const { x, known, arm, reward, weight } of rows) {
    if (weight === 0) continue;
    // A call of which nothing is known is taken for the average one.
    for (let k = 1; k < FEATURES; k += 1) {
      x[k] = known ? (x[k] as number) - (means[k] as number) : 0;
    }
    const one = sums[arm] as Sums;
    one.n += weight;
    addOuterProduct(one.gram, x, weight);
    for (let k = 0; k < columns; k += 1) {
      one.cross[k] = (one.cross[k] as number) + weight * (reward - mean) * (x[k] as number);
    }
    one.squares += weight * (reward - mean) ** 2;
    for (let k = 1; k < FEATURES; k += 1) {
      x[k] = known ? (x[k] as number) + (means[k] as number) : 0;
    }
  }
  for (const { gram } of sums) mirror(gram, columns);
  return sums;
}

export function pooled(sums: readonly Sums[], columns: number): Float64Array {
  const all = new Float64Array(columns * columns);
  for (const { gram } of sums) {
    for (let at = 0; at < all.length; at += 1) all[at] = (all[at] as number) + (gram[at] as number);
  }
  return all;
}
