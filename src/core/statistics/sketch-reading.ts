import type { Sketch } from '../observation.ts';
import { sketchQuantile } from '../sketch.ts';

const Z_95 = 1.959963984540054;

/** Values above `value`: those of its own bin are taken as even in it on the log scale. */
export function countAbove(sketch: Sketch, value: number): number {
  if (value <= 0) return sketch.count - sketch.zeros;
  const place = Math.log(value) / lnGamma(sketch);
  const own = Math.ceil(place);
  let sum = 0;
  for (const bin of sketch.bins) {
    if (bin[0] > own) sum += bin[1];
    else if (bin[0] === own) sum += bin[1] * (own - place);
  }
  return sum;
}

/**
 * The 95 % interval of a quantile by order statistics, with no assumption on the distribution (H.
 * A. David, "Order Statistics", §7.1), where only one in `design` values is independent. Null below
 * `valuesNeeded(share)` independent values.
 */
export function dependentInterval(
  sketch: Sketch,
  share: number,
  design: number,
): readonly [number, number] | null {
  const { count } = sketch;
  if (count / design < valuesNeeded(share)) return null;
  const half = Z_95 * Math.sqrt(share * (1 - share) * count * design);
  const at = (rank: number): number => {
    const share = (Math.min(count, Math.max(1, rank)) - 1) / Math.max(1, count - 1);
    return sketchQuantile(sketch, share);
  };
  return [at(Math.floor(share * count - half)), at(Math.ceil(share * count + half) + 1)];
}

/**
 * Values below which a two-sided 95 % interval of the quantile does not exist: of fewer, all lie
 * below it with more than 2.5 %. 6, 36, 72 and 368 for p50, p90, p95 and p99.
 */
export function valuesNeeded(share: number): number {
  return Math.ceil(Math.log(0.025) / Math.log(Math.max(share, 1 - share)));
}

export interface LogMoments {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
}

/**
 * Mean and variance of the natural logarithm of what is above 0, its highest 0.5 % drawn in to
 * their lowest: one absurd bill is not a drift (winsorised; J. Tukey 1962). Null of nothing.
 */
export function logMoments(sketch: Sketch): LogMoments | null {
  const count = sketch.count - sketch.zeros;
  if (count < 2) return null;
  const step = lnGamma(sketch);
  const top = Math.log(Math.max(Number.MIN_VALUE, sketchQuantile(sketch, 0.995)));
  let [sum, squares] = [0, 0];
  for (const bin of sketch.bins) sum += bin[1] * Math.min(top, (bin[0] - 0.5) * step);
  const mean = sum / count;
  for (const bin of sketch.bins) {
    squares += bin[1] * (Math.min(top, (bin[0] - 0.5) * step) - mean) ** 2;
  }
  return { mean, variance: squares / (count - 1), count };
}

function lnGamma({ accuracy }: Sketch): number {
  return Math.log((1 + accuracy) / (1 - accuracy));
}
