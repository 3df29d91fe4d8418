import { addOuter, solveRidge, timesVector, triangleSize } from './linear.ts';
import type { LogColumns } from './log.ts';

/**
 * Models of the reward, E[r | context, action], fitted on the other folds than the one that they
 * are asked about. A candidate is a point between "all actions alike" and "a regression of its own
 * for each action": the reward of an action is the shared prediction plus its own part, and the own
 * part is shrunk by a ridge. Penalties are in pseudo-observations, since columns are standardised.
 * Which candidate serves is decided later, by the variance that it leaves to the estimate.
 */
interface Candidate {
  /** Penalty of an action's own level; Infinity: none of its own. */
  readonly level: number;
  /** Whether the shared prediction regards the context. */
  readonly shared: boolean;
  /** Penalty of an action's own slopes; Infinity: none of its own. */
  readonly slopes: number;
}

const CANDIDATES: readonly Candidate[] = [
  { level: Infinity, shared: false, slopes: Infinity },
  { level: 10, shared: false, slopes: Infinity },
  { level: 300, shared: false, slopes: Infinity },
  { level: 30, shared: true, slopes: Infinity },
  { level: 1000, shared: true, slopes: Infinity },
  { level: 1, shared: true, slopes: 3 },
  { level: 10, shared: true, slopes: 30 },
  { level: 100, shared: true, slopes: 300 },
];

export const FOLDS = 5;
const SHARED_PENALTY = 10;
/** Above this many numbers in the sums, actions get no slopes of their own. */
const SUMS_MAX = 24_000_000;

export interface RewardModels {
  readonly count: number;
  /** Turns to a row: what is predicted next is of its context, by models that never saw it. */
  turnTo(row: number): void;
  predict(model: number, action: number): number;
}

/** Sums of one fold: a triangle of x xᵀ and a vector of x r for each action. */
interface Sums {
  readonly squares: Float64Array;
  readonly products: Float64Array;
}

export function fitRewardModels(log: LogColumns): RewardModels {
  const actions = Math.max(1, log.actions.size);
  const order = log.used + 1;
  const fits = FOLDS * actions * triangleSize(order) <= SUMS_MAX;
  // Without room for slopes, a triangle of order 1 is the count and a vector the sum of rewards.
  const width = fits ? order : 1;
  const rowVector = standardised(log, width);
  const folds = sumsByFold(log, actions, width, rowVector);
  const candidates = CANDIDATES.filter(({ shared }) => width > 1 || !shared);
  const [least, most] = rangeOf(log.reward.subarray(0, log.rows));
  const weights = folds.map((_, fold) => {
    const others = total(folds.filter((_sums, other) => other !== fold));
    return candidates.map((candidate) => coefficients(candidate, others, actions, width));
  });
  const x = new Float64Array(width);
  let models = weights[0] as readonly Float64Array[];
  return {
    count: candidates.length,
    turnTo(row) {
      rowVector(row, x);
      models = weights[foldOf(log, row)] as readonly Float64Array[];
    },
    predict(index, action) {
      const model = models[index] as Float64Array;
      const at = action * width;
      let sum = model[at] as number;
      if (candidates[index]?.shared) {
        for (let k = 1; k < width; k += 1) sum += (model[at + k] as number) * (x[k] as number);
      }
      return Math.min(most, Math.max(least, sum));
    },
  };
}

export function foldOf(log: LogColumns, row: number): number {
  return (log.cluster[row] as number) % FOLDS;
}

function rangeOf(values: Float64Array): readonly [number, number] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** Writes (1, standardised features) of a row; a column without variance is 0. */
function standardised(log: LogColumns, width: number): (row: number, x: Float64Array) => void {
  const { rows } = log;
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  const own = new Float64Array(width);
  for (let row = 0; row < rows; row += 1) {
    log.features.read(row, width - 1, own, 1);
    for (let k = 1; k < width; k += 1) {
      mean[k] = (mean[k] as number) + (own[k] as number) / rows;
    }
  }
  for (let row = 0; row < rows; row += 1) {
    log.features.read(row, width - 1, own, 1);
    for (let k = 1; k < width; k += 1) {
      scale[k] = (scale[k] as number) + ((own[k] as number) - (mean[k] as number)) ** 2;
    }
  }
  for (let k = 1; k < width; k += 1) {
    const deviation = Math.sqrt((scale[k] as number) / Math.max(1, rows));
    scale[k] = deviation > 1e-9 * (1 + Math.abs(mean[k] as number)) ? 1 / deviation : 0;
  }
  return (row, x) => {
    x[0] = 1;
    log.features.read(row, width - 1, x, 1);
    for (let k = 1; k < width; k += 1) {
      const value = ((x[k] as number) - (mean[k] as number)) * (scale[k] as number);
      // A value far out would rule its column's slope; and what is no number is the mean.
      x[k] = Number.isFinite(value) ? Math.min(6, Math.max(-6, value)) : 0;
    }
  };
}

function sumsByFold(
  log: LogColumns,
  actions: number,
  width: number,
  rowVector: (row: number, x: Float64Array) => void,
): readonly Sums[] {
  const size = triangleSize(width);
  const folds = Array.from({ length: FOLDS }, () => ({
    squares: new Float64Array(actions * size),
    products: new Float64Array(actions * width),
  }));
  const x = new Float64Array(width);
  for (let row = 0; row < log.rows; row += 1) {
    rowVector(row, x);
    const sums = folds[foldOf(log, row)] as Sums;
    const action = log.action[row] as number;
    addOuter(sums.squares, action * size, x);
    const reward = log.reward[row] as number;
    for (let k = 0; k < width; k += 1) {
      const at = action * width + k;
      sums.products[at] = (sums.products[at] as number) + reward * (x[k] as number);
    }
  }
  return folds;
}

function total(folds: readonly Sums[]): Sums {
  const sum = (lists: readonly Float64Array[]): Float64Array => {
    const into = new Float64Array(lists[0]?.length ?? 0);
    for (const list of lists) {
      for (let at = 0; at < into.length; at += 1)
        into[at] = (into[at] as number) + (list[at] as number);
    }
    return into;
  };
  return {
    squares: sum(folds.map(({ squares }) => squares)),
    products: sum(folds.map(({ products }) => products)),
  };
}

/** A vector of coefficients for each action, one after the other. */
function coefficients(
  { level, shared, slopes }: Candidate,
  sums: Sums,
  actions: number,
  width: number,
): Float64Array {
  const size = triangleSize(width);
  const common = sharedPart(sums, actions, width, shared);
  if (level !== Infinity) common[0] = (common[0] as number) + meanOfActions(sums, common, level);
  const result = new Float64Array(actions * width);
  for (let action = 0; action < actions; action += 1) {
    const squares = sums.squares.subarray(action * size, (action + 1) * size);
    const fitted = timesVector(squares, common);
    const left = sums.products
      .subarray(action * width, (action + 1) * width)
      .map((product, k) => product - (fitted[k] as number));
    const own = ownPart(squares, left, level, slopes);
    for (let k = 0; k < width; k += 1) {
      result[action * width + k] = (common[k] as number) + (own[k] as number);
    }
  }
  return result;
}

/**
 * What actions are above the shared part on average, each weighing as much as its own level is
 * known: were they weighed by rows, a rare action would be shrunk towards the log's favourite.
 */
function meanOfActions({ squares, products }: Sums, common: Float64Array, level: number): number {
  const width = common.length;
  const size = triangleSize(width);
  let sum = 0;
  let weights = 0;
  for (let at = 0; at * width < products.length; at += 1) {
    const triangle = squares.subarray(at * size, (at + 1) * size);
    const rows = triangle[0] as number;
    if (rows === 0) continue;
    const fitted = timesVector(triangle, common)[0] as number;
    const weight = rows / (rows + level);
    sum += (weight * ((products[at * width] as number) - fitted)) / rows;
    weights += weight;
  }
  return weights === 0 ? 0 : sum / weights;
}

function sharedPart(sums: Sums, actions: number, width: number, shared: boolean): Float64Array {
  const size = triangleSize(width);
  const squares = new Float64Array(size);
  const products = new Float64Array(width);
  for (let action = 0; action < actions; action += 1) {
    for (let at = 0; at < size; at += 1) {
      squares[at] = (squares[at] as number) + (sums.squares[action * size + at] as number);
    }
    for (let k = 0; k < width; k += 1) {
      products[k] = (products[k] as number) + (sums.products[action * width + k] as number);
    }
  }
  if (!shared) {
    const mean = new Float64Array(width);
    mean[0] = (products[0] as number) / Math.max(1, squares[0] as number);
    return mean;
  }
  const penalty = new Float64Array(width).fill(SHARED_PENALTY);
  penalty[0] = 1e-6;
  return solveRidge(squares, products, penalty);
}

function ownPart(
  squares: Float64Array,
  left: Float64Array,
  level: number,
  slopes: number,
): Float64Array {
  const own = new Float64Array(left.length);
  if (level === Infinity) return own;
  if (slopes === Infinity) {
    own[0] = (left[0] as number) / ((squares[0] as number) + level);
    return own;
  }
  const penalty = new Float64Array(left.length).fill(slopes);
  penalty[0] = level;
  return solveRidge(squares, left, penalty);
}
