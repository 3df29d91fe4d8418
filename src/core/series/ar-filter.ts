import { at, clamp } from './numbers.ts';
import { Ring } from './ring.ts';

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
  const rows = new Ring(order + 1);
  const weights = new Float64Array(order);
  const inverse = Array.from({ length: order }, (_, i) =>
    Float64Array.from({ length: order }, (_, j) => (i === j ? RIDGE : 0)),
  );
  weights[0] = 0.5;
  let [centre, size, error_size, seen] = [0, 0, 0, 0];
  const inputs = new Float64Array(order);
  const predict = (): number => {
    let sum = 0;
    for (let lag = 0; lag < order; lag += 1) sum += at(weights, lag) * at(inputs, lag);
    return sum;
  };
  const refresh = (): void => {
    for (let lag = 0; lag < order; lag += 1) {
      inputs[lag] = clamp((rows.back(lag) - centre) / size, -8, 8);
    }
  };
  const learn = (error: number): void => {
    const gains = inverse.map((row) => row.reduce((sum, one, i) => sum + one * at(inputs, i), 0));
    const power = gains.reduce((sum, one, i) => sum + one * at(inputs, i), FORGET);
    for (let i = 0; i < order; i += 1) {
      const gain = at(gains, i) / power;
      weights[i] = at(weights, i) + gain * error;
      const row = inverse[i] as Float64Array;
      for (let j = 0; j < order; j += 1) {
        row[j] = clamp((at(row, j) - gain * at(gains, j)) / FORGET, -1e4, 1e4);
      }
    }
  };
  return {
    forecast: () => (seen > 2 * order && size > 0 ? centre + size * predict() : null),
    push(value) {
      seen += 1;
      if (seen > order + 1 && size > 0) {
        const error = clamp((value - centre) / size, -8, 8) - predict();
        const bound = HUBER * Math.max(error_size, 1e-3);
        learn(clamp(error, -bound, bound));
        error_size += (Math.min(Math.abs(error), bound) - error_size) * Math.max(0.01, 1 / seen);
      }
      const gain = Math.max(0.003, 1 / seen);
      centre += gain * (size > 0 ? clamp(value - centre, -6 * size, 6 * size) : value - centre);
      const deviation = Math.abs(value - centre);
      size += gain * ((size > 0 ? Math.min(deviation, 6 * size) : deviation) - size);
      rows.push(value);
      if (seen > order && size > 0) refresh();
    },
  };
}
