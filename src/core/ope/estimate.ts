import { type Moments, momentsOf, skewedInterval, steadied } from './interval.ts';

/**
 * Off-policy estimates from columns, a number a row: `weight` π(a|x)/p(a|x), `reward`, and for a
 * reward model `q` its prediction for the action taken and `value` its mean under the target.
 */
export interface Joined {
  readonly weight: Float64Array;
  readonly reward: Float64Array;
  readonly cluster: Uint32Array;
}

export interface ModelColumns {
  readonly q: Float32Array;
  readonly value: Float32Array;
}

export interface Estimate {
  readonly estimate: number;
  readonly ci: readonly [number, number];
  readonly moments: Moments;
}

/** Weights are cut here where that halves the mean squared error. */
export const CLIP = 20;
const CLIP_GAIN_MIN = 0.5;

/** Kish's effective sample size, (Σ w)² / Σ w². 0 where the target takes no action of the log. */
export function effectiveSize(weight: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const value of weight) {
    sum += value;
    squares += value * value;
  }
  return squares > 0 ? (sum * sum) / squares : 0;
}

function mean(length: number, at: (row: number) => number): number {
  let sum = 0;
  for (let row = 0; row < length; row += 1) sum += at(row);
  return sum / Math.max(1, length);
}

/** Inverse propensity score: mean of w r. Unbiased, and of the largest variance. */
export function ips({ weight, reward }: Joined): number {
  return mean(weight.length, (row) => (weight[row] as number) * (reward[row] as number));
}

/** Self-normalised: Σ w r / Σ w (A. Swaminathan and T. Joachims, NIPS 2015). */
export function snips(joined: Joined): number {
  const weight = mean(joined.weight.length, (row) => joined.weight[row] as number);
  return weight === 0 ? 0 : ips(joined) / weight;
}

/** The direct method: what the reward model says of the target, biased as the model is. */
export function directMethod({ value }: ModelColumns): number {
  return mean(value.length, (row) => value[row] as number);
}

/** The rows' influence on a doubly robust estimate, and the estimate. */
interface Robust {
  readonly estimate: number;
  readonly influence: Float64Array;
}

/**
 * Doubly robust (M. Dudík, J. Langford, L. Li, ICML 2011), with the correction self-normalised:
 *
 *   mean(value) + Σ w (r − q) / Σ w.
 *
 * With weights cut at `clip` the normalisation also makes up for the mass that the cut takes away.
 */
function robust(joined: Joined, model: ModelColumns, clip: number): Robust {
  const { weight, reward } = joined;
  const rows = weight.length;
  const cut = (row: number): number => Math.min(clip, weight[row] as number);
  const rest = (row: number): number => (reward[row] as number) - (model.q[row] as number);
  const base = directMethod(model);
  const scale = mean(rows, cut);
  const correction = scale === 0 ? 0 : mean(rows, (row) => cut(row) * rest(row)) / scale;
  const influence = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const own = scale === 0 ? 0 : (cut(row) / scale) * (rest(row) - correction);
    influence[row] = (model.value[row] as number) - base + own;
  }
  return { estimate: base + correction, influence };
}

export interface RobustEstimate extends Estimate {
  /** Index of the reward model that serves. */
  readonly model: number;
  /** The cut of the weights, or null where they are as they are. */
  readonly clip: number | null;
  /** What the cut is estimated to add to the estimate, with its sign; the interval covers it. */
  readonly clip_bias: number;
}

/**
 * Doubly robust with the reward model of the least squared error out of fold, weighed by the
 * target; and with weights cut where that halves the estimated mean squared error. Any model gives
 * the same in expectation. To choose the one of the least estimated variance instead would choose
 * luck: with heavy weights a few rows make that estimate (intervals then cover 83 %, not 95 %).
 * A cut does bias, so its estimated bias counts, and the interval is widened by it.
 */
export function bestRobust(joined: Joined, models: readonly ModelColumns[]): RobustEstimate {
  const order = clusterOrder(joined.cluster);
  const cluster = order === null ? null : joined.cluster;
  const model = indexOfLeast(models.map((candidate) => loss(joined, candidate)));
  const columns = models[model] as ModelColumns;
  const events = eventsIn(joined);
  const estimateAt = (clip: number) => {
    const { estimate, influence } = robust(joined, columns, clip);
    const observed = momentsOf(influence, cluster, order);
    const expected = events === null ? null : expectedMoments(joined, columns, clip);
    const moments = expected === null ? observed : steadied(observed, expected, events ?? 0);
    return { estimate, influence, moments, ci: skewedInterval(estimate, moments) };
  };
  const { influence, ...plain } = estimateAt(Infinity);
  const whole = { ...plain, model, clip: null, clip_bias: 0 };
  if (!joined.weight.some((value) => value > CLIP)) return whole;
  const { influence: cutInfluence, ...cut } = estimateAt(CLIP);
  const bias = cut.estimate - plain.estimate;
  const apart = cutInfluence.map((value, row) => value - (influence[row] as number));
  const biasError = momentsOf(apart, cluster, order).se;
  const error = cut.moments.se ** 2 + Math.max(0, bias ** 2 - biasError ** 2);
  if (error >= CLIP_GAIN_MIN * plain.moments.se ** 2) return whole;
  const ci = [cut.ci[0] - Math.max(0, bias), cut.ci[1] - Math.min(0, bias)] as const;
  return { ...cut, ci, model, clip: CLIP, clip_bias: bias };
}

/** Σ w (r − q)² after the best constant shift, which self-normalising makes anyway. */
function loss({ weight, reward }: Joined, { q }: ModelColumns): number {
  let weights = 0;
  let first = 0;
  let second = 0;
  for (const [row, value] of weight.entries()) {
    const rest = (reward[row] as number) - (q[row] as number);
    weights += value;
    first += value * rest;
    second += value * rest * rest;
  }
  return weights === 0 ? 0 : second - (first * first) / weights;
}

/** Effective number of rewarded rows under the target; null where rewards may be below 0. */
function eventsIn({ weight, reward }: Joined): number | null {
  let sum = 0;
  let squares = 0;
  for (const [row, value] of weight.entries()) {
    const earned = value * (reward[row] as number);
    if ((reward[row] as number) < 0) return null;
    sum += earned;
    squares += earned * earned;
  }
  return squares > 0 ? (sum * sum) / squares : 0;
}

/**
 * Moments under the reward model: a reward's variance is φ q (φ by Pearson's method; near 1 where
 * rewards are rare and 0 or 1) and its third moment φ² q, as of a scaled Poisson count.
 */
function expectedMoments(joined: Joined, { q, value }: ModelColumns, clip: number): Moments {
  const { weight, reward } = joined;
  const rows = weight.length;
  const base = directMethod({ q, value });
  const scale = mean(rows, (row) => Math.min(clip, weight[row] as number));
  const level = mean(rows, (row) => Math.max(0, q[row] as number));
  const spread = mean(rows, (row) => ((reward[row] as number) - (q[row] as number)) ** 2);
  if (level === 0 || scale === 0) return { se: 0, skew: 0 };
  const dispersion = spread / level;
  let second = 0;
  let third = 0;
  for (let row = 0; row < rows; row += 1) {
    const expected = Math.max(0, q[row] as number);
    const cut = Math.min(clip, weight[row] as number) / scale;
    second += ((value[row] as number) - base) ** 2 + cut ** 2 * dispersion * expected;
    third += cut ** 3 * dispersion ** 2 * expected;
  }
  const se = Math.sqrt(second) / rows;
  return { se, skew: se > 0 ? third / rows ** 3 / se ** 3 : 0 };
}

function indexOfLeast(values: readonly number[]): number {
  let least = 0;
  for (const [index, value] of values.entries()) {
    if (value < (values[least] as number)) least = index;
  }
  return least;
}

/** Rows by cluster; null where no two share one. */
function clusterOrder(cluster: Uint32Array): Uint32Array | null {
  const sorted = cluster.slice().sort();
  if (!sorted.some((value, at) => at > 0 && value === sorted[at - 1])) return null;
  const order = Uint32Array.from(cluster, (_, row) => row);
  return order.sort((left, right) => (cluster[left] as number) - (cluster[right] as number));
}
