import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';
import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { type ArmCounts, splitDeviation } from './sequential.ts';

export {
  type ArmCounts,
  eValue,
  evidenceLn,
  logMeanExp,
  RATE_RATIOS,
} from './sequential.ts';

/** Two-sided 95 %. */
const Z_95 = 1.959963984540054;

/** Wilson's score interval of a rate, 95 % by default; [0, 1] where there is no unit. */
export function wilsonInterval(
  events: number,
  units: number,
  z: number = Z_95,
): readonly [number, number] {
  if (units <= 0) return [0, 1];
  const rate = events / units;
  const z2 = z * z;
  const centre = rate + z2 / (2 * units);
  const half = z * Math.sqrt((rate * (1 - rate)) / units + z2 / (4 * units * units));
  const scale = 1 + z2 / units;
  const lower = events === 0 ? 0 : (centre - half) / scale;
  const upper = events === units ? 1 : (centre + half) / scale;
  return [Math.max(0, lower), Math.min(1, upper)];
}

/**
 * p value of "units fall into the arms as the shares say", chi-square with one degree of freedom
 * over all shares together. It serves twice: on assigned units (sample ratio mismatch), and on
 * units that rated. Were raters per assigned unit compared instead, a unit that control had at a
 * low share and the canary has at a higher one would count against both arms; a rater's arm given
 * that it rated has no such flaw. 1 where there is no unit.
 */
export function splitPValue(counts: readonly ArmCounts[]): number {
  const deviation = splitDeviation(counts);
  return deviation === 0 ? 1 : 1 - chiSquareCdf(deviation * deviation, 1);
}

/** The Beta(1, 1) posterior of a rate of success: its mean and its 5 % quantile. */
export function betaPosterior(
  successes: number,
  failures: number,
): { readonly mean: number; readonly lower: number } {
  const alpha = 1 + successes;
  const beta = 1 + failures;
  return { mean: alpha / (alpha + beta), lower: betaQuantile(0.05, alpha, beta) };
}
