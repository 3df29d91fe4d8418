import { floored, inverseGapWeights } from './arm-probabilities.ts';
import { FEATURES, FEATURES_ID } from './prompt-features.ts';

/**
 * What the worker learned of an agent's targets, given a call's features: one linear model a
 * target, plain JSON, so that it can be published, exported and read. Columns are the features of
 * `FEATURE_NAMES`, then one a category (1 in it, else 0).
 */
export interface ContextModel {
  /** What the columns mean; a gateway that has other features does not use it. */
  readonly features: string;
  readonly targets: readonly string[];
  readonly categories: readonly string[];
  /** By target: the expected reward is the sum of weight × column. */
  readonly weights: readonly (readonly number[])[];
  /** Directions in which calls differ most, and where the average call lies on each. */
  readonly basis: readonly (readonly number[])[];
  readonly centre: readonly number[];
  /** Mean of each column, which doubt is measured around; of the bias 0. */
  readonly means: readonly number[];
  /** By target: the variance of the expected reward on the basis, and beside it. */
  readonly doubt: readonly TargetDoubt[];
  /** Standard deviation of one reward around what is expected. */
  readonly noise: number;
  /** Rewards that still count, of all targets. */
  readonly rewards: number;
}

export interface TargetDoubt {
  /** Symmetric, row by row: the variance is zᵀ on z + beside × (|x|² - |z|²). */
  readonly on: readonly (readonly number[])[];
  readonly beside: number;
}

/** A model as the hot path reads it. */
export interface ContextScorer {
  readonly model: ContextModel;
  readonly index: ReadonlyMap<string, number>;
  readonly categories: ReadonlyMap<string, number>;
  /**
   * Targets × columns, basis × columns, and of each target the lower triangle of `on`, what is
   * beside the diagonal doubled: one array each.
   */
  readonly weights: Float64Array;
  readonly basis: Float64Array;
  readonly on: Float64Array;
  readonly columns: number;
  readonly order: number;
  readonly z: Float64Array;
}

/** Null where the model is of other features than ours, or does not fit itself. */
export function createContextScorer(model: ContextModel): ContextScorer | null {
  const columns = FEATURES + model.categories.length;
  const order = model.basis.length;
  const fits =
    model.features === FEATURES_ID &&
    model.weights.length === model.targets.length &&
    model.doubt.length === model.targets.length &&
    [...model.weights, ...model.basis, model.means].every((row) => row.length === columns) &&
    model.doubt.every(({ on }) => on.length === order && on.every((row) => row.length === order));
  if (!fits) return null;
  return {
    model,
    index: new Map(model.targets.map((target, at) => [target, at])),
    categories: new Map(model.categories.map((category, at) => [category, FEATURES + at])),
    weights: Float64Array.from(model.weights.flat()),
    basis: Float64Array.from(model.basis.flat()),
    on: Float64Array.from(model.doubt.flatMap(({ on }) => triangleOf(on))),
    columns,
    order,
    z: new Float64Array(order),
  };
}

function triangleOf(on: readonly (readonly number[])[]): readonly number[] {
  return on.flatMap((row, at) =>
    row.slice(0, at + 1).map((value, column) => (column < at ? 2 * value : value)),
  );
}

/** Expected reward of each target for the call, and its standard deviation. */
export interface Scores {
  readonly means: Float64Array;
  readonly deviations: Float64Array;
}

/**
 * `x` are a call's features; targets that the model does not know have a mean of NaN. Without
 * `doubted` deviations are not computed.
 */
export function scoreContext(
  scorer: ContextScorer,
  x: Float64Array,
  category: string,
  targets: readonly string[],
  doubted: boolean,
): Scores {
  const means = new Float64Array(targets.length);
  const deviations = new Float64Array(targets.length);
  const own = scorer.categories.get(category) ?? -1;
  const beside = doubted ? project(scorer, x, own) : 0;
  for (let k = 0; k < targets.length; k += 1) {
    const at = scorer.index.get(targets[k] as string);
    if (at === undefined) {
      means[k] = Number.NaN;
      continue;
    }
    means[k] = product(scorer.weights, at * scorer.columns, x, own);
    if (doubted) deviations[k] = deviationOf(scorer, at, beside);
  }
  return { means, deviations };
}

/** Σ row × features, and the category's column, if any. */
function product(rows: Float64Array, from: number, x: Float64Array, own: number): number {
  let sum = own < 0 ? 0 : (rows[from + own] as number);
  for (let at = 0; at < FEATURES; at += 1) sum += (rows[from + at] as number) * (x[at] as number);
  return sum;
}

/** Fills z, and returns how much of |x - mean|² is beside the basis. */
function project(scorer: ContextScorer, x: Float64Array, own: number): number {
  const { basis, model, order, columns, z } = scorer;
  const { means, centre } = model;
  let square = own < 0 ? 0 : 1;
  for (let at = 0; at < FEATURES; at += 1) {
    const around = (x[at] as number) - (means[at] as number);
    square += around * around;
  }
  for (let row = 0; row < order; row += 1) {
    const one = product(basis, row * columns, x, own) - (centre[row] as number);
    z[row] = one;
    square -= one * one;
  }
  return Math.max(0, square);
}

function deviationOf({ on, order, z, model }: ContextScorer, target: number, rest: number): number {
  let sum = (model.doubt[target] as TargetDoubt).beside * rest;
  let at = (target * order * (order + 1)) / 2;
  for (let row = 0; row < order; row += 1) {
    let inner = 0;
    for (let column = 0; column <= row; column += 1) {
      inner += (on[at] as number) * (z[column] as number);
      at += 1;
    }
    sum += inner * (z[row] as number);
  }
  return Math.sqrt(Math.max(0, sum));
}

export interface ContextRule {
  readonly rule: 'linucb' | 'squarecb';
  /** `linucb`: standard deviations of which the bound is drawn. */
  readonly explore: number;
  /** `squarecb`: how fast it settles on what it believes. */
  readonly gamma: number;
  readonly floor: number;
}

/**
 * The probability of each target, exactly; they add up to 1. Null where the model knows none of
 * them. One that it does not know has the floor, and at least its even share of one in ten.
 */
export function contextProbabilities(
  { means, deviations }: Scores,
  { rule, explore, gamma, floor }: ContextRule,
  { noise, rewards }: Pick<ContextModel, 'noise' | 'rewards'>,
): readonly number[] | null {
  const known: number[] = [];
  for (let k = 0; k < means.length; k += 1) if (!Number.isNaN(means[k])) known.push(k);
  if (known.length === 0) return null;
  const n = means.length;
  const best =
    rule === 'linucb'
      ? drawnBounds(means, deviations, explore)
      : gapWeights(known, means, (gamma * Math.sqrt(n * Math.max(1, rewards))) / (2 * noise));
  const strange = n - known.length;
  if (strange > 0) {
    const each = UNKNOWN_SHARE / n;
    for (let k = 0; k < n; k += 1) {
      best[k] = Number.isNaN(means[k]) ? each : (best[k] as number) * (1 - each * strange);
    }
  }
  return floored(best, floor);
}

const UNKNOWN_SHARE = 0.1;
/** Multiples of the deviation that a bound is drawn of, and the half normal's mass on each. */
const POINTS = 16;
const REACH = 3;
const MASSES: readonly number[] = massesOf();

function massesOf(): readonly number[] {
  const raw = Array.from({ length: POINTS }, (_, at) =>
    Math.exp(-0.5 * ((REACH * at) / (POINTS - 1)) ** 2),
  );
  const total = raw.reduce((sum, one) => sum + one, 0);
  return raw.map((one) => one / total);
}

/**
 * LinUCB (Li et al. 2010) whose bound is drawn: mean + z × explore × deviation with one z of a half
 * normal for all targets (RandUCB, Vaswani et al. 2020), of which 16 values stand for all, so that
 * each target's probability is a sum.
 */
function drawnBounds(means: Float64Array, deviations: Float64Array, explore: number): number[] {
  const shares = zeros(means.length);
  const [low, high] = [highest(means, deviations, 0), highest(means, deviations, explore * REACH)];
  if (low === high) {
    // Bounds are straight lines: who is highest at both ends is so between them.
    shares[low] = 1;
    return shares;
  }
  for (let point = 0; point < POINTS; point += 1) {
    const reach = (explore * REACH * point) / (POINTS - 1);
    const best = highest(means, deviations, reach);
    shares[best] = (shares[best] as number) + (MASSES[point] as number);
  }
  return shares;
}

function highest(means: Float64Array, deviations: Float64Array, reach: number): number {
  let best = -1;
  let top = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < means.length; k += 1) {
    const bound = (means[k] as number) + reach * (deviations[k] as number);
    if (bound > top) {
      top = bound;
      best = k;
    }
  }
  return best;
}

/** Without an iterator: it is made for each call. */
function zeros(count: number): number[] {
  const all: number[] = [];
  for (let at = 0; at < count; at += 1) all.push(0);
  return all;
}

function gapWeights(known: readonly number[], means: Float64Array, gamma: number): number[] {
  const shares = zeros(means.length);
  const weights = inverseGapWeights(
    known.map((k) => means[k] as number),
    gamma,
  );
  for (const [at, k] of known.entries()) shares[k] = weights[at] as number;
  return shares;
}
