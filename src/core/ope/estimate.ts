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

/** A reward model's columns, made when they are asked for: of eight models one is needed whole. */
export interface Candidate {
  readonly q: (into: Float32Array) => void;
  readonly value: () => Float32Array;
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
  /** What the reward model that serves says by itself. */
  readonly dm: number;
  /** The cut of the weights, or null where they are as they are. */
  readonly clip: number | null;
  /** The effective number, under the target, of the rarer of reward and its absence. */
  readonly events: number;
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
export function bestRobust(joined: Joined, models: readonly Candidate[]): RobustEstimate {
  const order = clusterOrder(joined.cluster);
  const cluster = order === null ? null : joined.cluster;
  const q = new Float32Array(joined.weight.length);
  const lossOf = (candidate: Candidate): number => {
    candidate.q(q);
    return loss(joined, q);
  };
  const best = models[indexOfLeast(models.map(lossOf))] as Candidate;
  best.q(q);
  const columns = { q, value: best.value() };
  const dm = directMethod(columns);
  const range = rangeOf(joined);
  const events = range === null ? Number.POSITIVE_INFINITY : eventsIn(joined, range);
  const estimateAt = (clip: number) => {
    const { estimate, influence } = robust(joined, columns, clip);
    const observed = momentsOf(influence, cluster, order);
    const expected = range === null ? observed : expectedMoments(joined, columns, clip, range);
    const moments = steadied(observed, expected, events);
    return { estimate, influence, moments, ci: skewedInterval(estimate, moments) };
  };
  const { influence, ...plain } = estimateAt(Infinity);
  const whole = { ...plain, dm, events, clip: null, clip_bias: 0 };
  if (!joined.weight.some((value) => value > CLIP)) return whole;
  const { influence: cutInfluence, ...cut } = estimateAt(CLIP);
  const bias = cut.estimate - plain.estimate;
  const apart = cutInfluence.map((value, row) => value - (influence[row] as number));
  const biasError = momentsOf(apart, cluster, order).se;
  const error = cut.moments.se ** 2 + Math.max(0, bias ** 2 - biasError ** 2);
  if (error >= CLIP_GAIN_MIN * plain.moments.se ** 2) return whole;
  const ci = [cut.ci[0] - Math.max(0, bias), cut.ci[1] - Math.min(0, bias)] as const;
  return { ...cut, ci, dm, events, clip: CLIP, clip_bias: bias };
}

/** Σ w (r − q)² after the best constant shift, which self-normalising makes anyway. */
function loss({ weight, reward }: Joined, q: Float32Array): number {
  let weights = 0;
  let first = 0;
  let second = 0;
  for (let row = 0; row < weight.length; row += 1) {
    const value = weight[row] as number;
    const rest = (reward[row] as number) - (q[row] as number);
    weights += value;
    first += value * rest;
    second += value * rest * rest;
  }
  return weights === 0 ? 0 : second - (first * first) / weights;
}

/** The least and the largest reward; null where there is but one. */
function rangeOf({ reward }: Joined): Range | null {
  let least = Infinity;
  let most = -Infinity;
  for (const value of reward) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most > least ? { least, most } : null;
}

interface Range {
  readonly least: number;
  readonly most: number;
}

/**
 * The effective number, under the target, of the rarer of reward and its absence: a failure of
 * what seldom fails is as rare an event as a click. At most its rate times the effective size:
 * many rewards in rows that hardly weigh say nothing of the heavy ones, which may yet have some.
 */
function eventsIn({ weight, reward }: Joined, { least, most }: Range): number {
  let [earned, earnedSquares, missed, missedSquares] = [0, 0, 0, 0];
  for (let row = 0; row < weight.length; row += 1) {
    const won = (weight[row] as number) * ((reward[row] as number) - least);
    const lost = (weight[row] as number) * (most - (reward[row] as number));
    earned += won;
    earnedSquares += won ** 2;
    missed += lost;
    missedSquares += lost ** 2;
  }
  const size = (sum: number, squares: number): number => (squares > 0 ? (sum * sum) / squares : 0);
  const rate = earned / (earned + missed);
  const rarer = effectiveSize(weight) * Math.min(rate, 1 - rate);
  return Math.min(rarer, size(earned, earnedSquares), size(missed, missedSquares));
}

/**
 * Moments under the reward model: with u the prediction within the range of rewards, the variance
 * of a reward is φ u (1 − u) (φ by Pearson's method, 1 for rewards of 0 and 1), and its third
 * moment that times 1 − 2 u.
 */
function expectedMoments(
  joined: Joined,
  { q, value }: ModelColumns,
  clip: number,
  { least, most }: Range,
): Moments {
  const { weight, reward } = joined;
  const rows = weight.length;
  const span = most - least;
  const within = (row: number): number =>
    Math.min(1, Math.max(0, ((q[row] as number) - least) / span));
  const base = directMethod({ q, value });
  const scale = mean(rows, (row) => Math.min(clip, weight[row] as number));
  const binary = mean(rows, (row) => within(row) * (1 - within(row))) * span ** 2;
  const spread = mean(rows, (row) => ((reward[row] as number) - (q[row] as number)) ** 2);
  if (binary === 0 || scale === 0) return { se: 0, skew: 0 };
  const dispersion = spread / binary;
  let second = 0;
  let third = 0;
  for (let row = 0; row < rows; row += 1) {
    const u = within(row);
    const cut = (Math.min(clip, weight[row] as number) / scale) * span;
    const variance = dispersion * u * (1 - u);
    second += ((value[row] as number) - base) ** 2 + cut ** 2 * variance;
    third += cut ** 3 * variance * (1 - 2 * u);
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
  const rows = cluster.length;
  const order = new Uint32Array(rows);
  if (rows > KEYED_ROWS_MAX) {
    for (let row = 0; row < rows; row += 1) order[row] = row;
    return order.sort((left, right) => (cluster[left] as number) - (cluster[right] as number));
  }
  // As numbers, cluster before row, they sort in place; a comparison would copy them to a list.
  const keys = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) keys[row] = (cluster[row] as number) * rows + row;
  keys.sort();
  for (let at = 0; at < rows; at += 1) order[at] = (keys[at] as number) % rows;
  return order;
}

/** With more rows a cluster's number and a row's do not fit into 53 bits. */
const KEYED_ROWS_MAX = 2 ** 21;
