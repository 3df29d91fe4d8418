import { at, clamp } from './numbers.ts';

/** Predicts a row from those right before it. */
export interface ArFilter {
  /** Null until enough rows are known. */
  forecast(): number | null;
  push(value: number): void;
}

/** Weight of a row that is one row older, and the ridge that the start stands for. */
const FORGET = 0.998;
const RIDGE = 10;
/**
 * An error beyond this many times the mean size of errors teaches no more than one of that size.
 */
const HUBER = 4;

/**
 * An autoregression learned by recursive least squares with forgetting: a row's deviation from a
 * slow mean, from the `order` deviations before it. Robust as the gain is bounded.
 */
export function createArFilter(order = 8): ArFilter {
  const rows = new Float64Array(order);
  const learner = createLeastSquares(order);
  let [centre, size, error_size, seen] = [0, 0, 0, 0];
  return {
    forecast: () => (seen > 2 * order && size > 0 ? centre + size * learner.predict() : null),
    push(value) {
      seen += 1;
      if (seen > order + 1 && size > 0) {
        const error = clamp((value - centre) / size, -8, 8) - learner.predict();
        const bound = HUBER * Math.max(error_size, 1e-3);
        learner.learn(clamp(error, -bound, bound));
        error_size += (Math.min(Math.abs(error), bound) - error_size) * Math.max(0.01, 1 / seen);
      }
      const gain = Math.max(0.003, 1 / seen);
      centre += gain * (size > 0 ? clamp(value - centre, -6 * size, 6 * size) : value - centre);
      const deviation = Math.abs(value - centre);
      size += gain * ((size > 0 ? Math.min(deviation, 6 * size) : deviation) - size);
      rows.copyWithin(1, 0);
      rows[0] = value;
      if (seen <= order || size <= 0) return;
      for (let lag = 0; lag < order; lag += 1) {
        learner.inputs[lag] = clamp((at(rows, lag) - centre) / size, -8, 8);
      }
    },
  };
}

/** Recursive least squares on `inputs`, which the caller fills. */
function createLeastSquares(order: number) {
  const inputs = new Float64Array(order);
  const weights = new Float64Array(order);
  const gains = new Float64Array(order);
  const inverse = new Float64Array(order * order);
  for (let i = 0; i < order; i += 1) inverse[i * order + i] = RIDGE;
  weights[0] = 0.5;
  return {
    inputs,
    predict(): number {
      let sum = 0;
      for (let i = 0; i < order; i += 1) sum += at(weights, i) * at(inputs, i);
      return sum;
    },
    learn(error: number): void {
      let power = FORGET;
      for (let i = 0; i < order; i += 1) {
        let sum = 0;
        for (let j = 0; j < order; j += 1) sum += at(inverse, i * order + j) * at(inputs, j);
        gains[i] = sum;
        power += sum * at(inputs, i);
      }
      for (let i = 0; i < order; i += 1) {
        const gain = at(gains, i) / power;
        weights[i] = at(weights, i) + gain * error;
        for (let j = 0; j < order; j += 1) {
          const place = i * order + j;
          inverse[place] = clamp((at(inverse, place) - gain * at(gains, j)) / FORGET, -1e4, 1e4);
        }
      }
    },
  };
}
