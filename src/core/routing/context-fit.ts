import type { ContextModel, TargetDoubt } from './context-model.ts';
import {
  type ContextSample,
  momentsOf,
  mostCommon,
  pooled,
  readRows,
  type Sums,
  sumUp,
  weightedMean,
} from './context-rows.ts';
import {
  dot,
  factorOf,
  inverseOf,
  logDeterminant,
  solveWith,
  times,
  topDirections,
} from './positive-matrix.ts';
import { FEATURES, FEATURES_ID } from './prompt-features.ts';

export interface ContextFit {
  readonly model: ContextModel;
  readonly columns: number;
  /** Mean and standard deviation of each column among the calls. */
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  readonly arms: readonly ArmFit[];
  /** The features of the newest calls, and their categories: what shares are averaged over. */
  readonly recent: readonly { readonly x: Float64Array; readonly category: string }[];
}

export interface ArmFit {
  readonly target: string;
  /** Rewards that still count. */
  readonly n: number;
  /** Expected reward of the average call. */
  readonly level: number;
  /** What is the target's own: beyond what the call's features say of all targets. */
  readonly own: Float64Array;
  /** (G + Λ)⁻¹: times noise², the variance of `own`. */
  readonly inverse: Float64Array;
}

const RECENT = 400;
/** Directions on which doubt is exact. */
const BASIS = 12;
/** Prior precision, in units of the noise, of what is common to all, and of a target's level. */
const COMMON = 5;
const LEVEL = 3;
/** Of these, by the evidence, the prior precision of a target's own weights: 2,000 is none. */
const RIDGES = [2, 6, 20, 60, 200, 2000];
const SWEEPS = 12;

/**
 * reward = common(x) + own(target, x) + noise, both linear, with normal priors around 0: a target
 * of which little is known is expected to be like the others, a category of which little is known
 * like the calls that look alike. How far targets differ by context is learned (empirical Bayes);
 * where they do not, own weights vanish, and the model is one level a target.
 */
export function fitContext(
  samples: readonly ContextSample[],
  targets: readonly string[],
  /** What each sample counts. */
  counts: ArrayLike<number>,
): ContextFit {
  const sorted = [...targets].sort();
  const categories = mostCommon(samples);
  const columns = FEATURES + categories.length;
  const rows = readRows(samples, sorted, categories, counts);
  const { means, deviations } = momentsOf(rows, columns);
  const mean = rows.length === 0 ? 0.5 : weightedMean(rows);
  const sums = sumUp(rows, { columns, arms: sorted.length, means, mean });
  const solved = solve(sums, columns);
  const basis = topDirections(pooled(sums, columns), columns, BASIS);
  const arms = sorted.map((target, k): ArmFit => {
    const own = solved.own[k] as Float64Array;
    return {
      target,
      n: (sums[k] as Sums).n,
      level: mean + (solved.common[0] as number) + (own[0] as number),
      own,
      inverse: solved.inverses[k] as Float64Array,
    };
  });
  const weights = arms.map(({ own }) => uncentred(solved.common, own, means, mean));
  return {
    model: {
      features: FEATURES_ID,
      targets: sorted,
      categories,
      weights: weights.map(rounded),
      basis: basis.map(rounded),
      centre: rounded(basis.map((row) => dot(row, means))),
      means: rounded(means),
      doubt: arms.map(({ inverse }) => doubtOf(inverse, basis, solved.noise)),
      noise: solved.noise,
      rewards: Math.round(arms.reduce((sum, { n }) => sum + n, 0)),
    },
    columns,
    means,
    deviations,
    arms,
    recent: rows
      .slice(-RECENT)
      .flatMap(({ x, known, category }) => (known ? [{ x, category }] : [])),
  };
}

interface Solved {
  readonly common: Float64Array;
  readonly own: readonly Float64Array[];
  readonly inverses: readonly Float64Array[];
  readonly noise: number;
}

function penaltyOf(columns: number, level: number, others: number): Float64Array {
  const penalty = new Float64Array(columns).fill(others);
  penalty[0] = level;
  return penalty;
}

function solve(sums: readonly Sums[], columns: number): Solved {
  const lowerAll = factorOf(pooled(sums, columns), penaltyOf(columns, 0.1, COMMON));
  let ridge = 60;
  let best = descend(sums, columns, ridge, lowerAll);
  // The noise of a first fit weighs the ridges; the one that explains the rewards best is taken.
  const scored = RIDGES.map((candidate) => ({
    candidate,
    evidence: evidenceOf(sums, columns, candidate, best),
  }));
  ridge = scored.reduce((top, one) => (one.evidence > top.evidence ? one : top)).candidate;
  best = descend(sums, columns, ridge, lowerAll);
  const inverses = best.lowers.map((lower) => inverseOf(lower, columns));
  return { ...best, inverses };
}

interface Descended extends Omit<Solved, 'inverses'> {
  readonly lowers: readonly Float64Array[];
}

/** The common and the own weights in turn: they converge to the joint most likely ones. */
function descend(
  sums: readonly Sums[],
  columns: number,
  ridge: number,
  lowerAll: Float64Array,
): Descended {
  const lowers = sums.map(({ gram }) => factorOf(gram, penaltyOf(columns, LEVEL, ridge)));
  let own: readonly Float64Array[] = sums.map(() => new Float64Array(columns));
  let common: Float64Array = new Float64Array(columns);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const left = new Float64Array(columns);
    for (const [k, { gram, cross }] of sums.entries()) {
      const explained = times(gram, own[k] as Float64Array);
      for (let at = 0; at < columns; at += 1) {
        left[at] = (left[at] as number) + (cross[at] as number) - (explained[at] as number);
      }
    }
    common = solveWith(lowerAll, left);
    own = sums.map((one, k) => solveWith(lowers[k] as Float64Array, beyond(one, common)));
  }
  return { common, own, lowers, noise: noiseOf(sums, common, own) };
}

/** Σ x (reward - common(x)). */
function beyond({ gram, cross }: Sums, common: Float64Array): Float64Array {
  const explained = times(gram, common);
  return cross.map((value, at) => value - (explained[at] as number));
}

function noiseOf(
  sums: readonly Sums[],
  common: Float64Array,
  own: readonly Float64Array[],
): number {
  let n = 0;
  let squares = 0;
  let total = 0;
  for (const [k, one] of sums.entries()) {
    const whole = common.map((value, at) => value + ((own[k] as Float64Array)[at] as number));
    n += one.n;
    total += one.squares;
    squares += one.squares - 2 * dot(whole, one.cross) + dot(whole, times(one.gram, whole));
  }
  const spread = n > 0 ? total / n : 0.25;
  // Rewards that were all the same are not taken at their word.
  const least = 1 / (n + 4);
  return Math.sqrt(Math.max(least, (Math.max(0, squares) + 4 * Math.max(spread, least)) / (n + 4)));
}

/** The log evidence of a ridge, up to what all have in common, given the common weights. */
function evidenceOf(
  sums: readonly Sums[],
  columns: number,
  ridge: number,
  { common, noise }: Descended,
): number {
  const penalty = penaltyOf(columns, LEVEL, ridge);
  const logPrior = penalty.reduce((sum, value) => sum + Math.log(value), 0);
  return sums.reduce((sum, one) => {
    const lower = factorOf(one.gram, penalty);
    const left = beyond(one, common);
    const fit = dot(left, solveWith(lower, left)) / (noise * noise);
    return sum + 0.5 * (fit - logDeterminant(lower, columns) + logPrior);
  }, 0);
}

function uncentred(
  common: Float64Array,
  own: Float64Array,
  means: Float64Array,
  mean: number,
): Float64Array {
  const whole = common.map((value, at) => value + (own[at] as number));
  whole[0] = mean + (whole[0] as number) - dot(whole, means);
  return whole;
}

/** The variance of a target's own part: exact on the basis, its average beside it. */
function doubtOf(
  inverse: Float64Array,
  basis: readonly Float64Array[],
  noise: number,
): TargetDoubt {
  const d = basis[0]?.length ?? 0;
  const on = basis.map((row) => {
    const image = times(inverse, row);
    return rounded(basis.map((other) => noise * noise * dot(other, image)));
  });
  let trace = 0;
  for (let at = 0; at < d; at += 1) trace += inverse[at * d + at] as number;
  const kept = on.reduce((sum, row, at) => sum + (row[at] as number), 0);
  const beside = Math.max(0, noise * noise * trace - kept) / Math.max(1, d - basis.length);
  return { on, beside: Number(beside.toPrecision(6)) };
}

/** Six digits are more than is known, and a feed is read by every gateway. */
function rounded(values: ArrayLike<number>): readonly number[] {
  return Array.from(values, (value) => Number(value.toPrecision(6)));
}
