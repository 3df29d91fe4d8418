import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';
import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';

/** Two-sided 95 %. */
const Z_95 = 1.959963984540054;

/** Rate ratios that the sequential test averages over: small harm and gross harm both show soon. */
export const RATE_RATIOS: readonly number[] = [1.25, 1.5, 2, 3, 4, 6, 8, 12];

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

/** Units with the event at one assignment share `q` of the canary arm. */
export interface ArmCounts {
  readonly q: number;
  readonly canary: number;
  readonly control: number;
}

/**
 * ln of the e-value against "the canary arm is no worse" (`harm`), or "no better" (`improvement`).
 *
 * Under the null hypothesis the unit of each event is in the canary with probability q, its
 * assignment share, whatever the rate of events and however it drifts; so
 *
 *   E = mean over r of Π (p/q)^canary ((1−p)/(1−q))^control,  p = q r / (q r + 1 − q),
 *
 * is a non-negative martingale that starts at 1, and P(sup E ≥ 1/α) ≤ α: it may be looked at after
 * every event (M. Lindon and A. Malek, "Anytime-Valid Inference for Multinomial Count Data",
 * NeurIPS 2022). The factor of one event is r / (q r + 1 − q) in the canary and 1 / (q r + 1 − q)
 * in control, so counts by share suffice. Each unit may be counted once: correlated events of one
 * unit break it.
 */
export function evidenceLn(
  counts: readonly ArmCounts[],
  direction: 'harm' | 'improvement' = 'harm',
): number {
  const logs = RATE_RATIOS.map((harmful) => {
    const ratio = direction === 'harm' ? harmful : 1 / harmful;
    const log = Math.log(ratio);
    return counts.reduce((sum, { q, canary, control }) => {
      return sum + canary * log - (canary + control) * Math.log(q * ratio + 1 - q);
    }, 0);
  });
  return logMeanExp(logs);
}

/** ln of the mean of e^x, without overflow. */
export function logMeanExp(logs: readonly number[]): number {
  const top = Math.max(...logs);
  const sum = logs.reduce((total, log) => total + Math.exp(log - top), 0);
  return top + Math.log(sum / logs.length);
}

/** An e-value from its ln, bounded so that it stays a JSON number. */
export function eValue(ln: number): number {
  return Math.exp(Math.min(ln, 700));
}

/**
 * p value of "units fall into the arms as the shares say", chi-square with one degree of freedom
 * over all shares together. It serves twice: on assigned units (sample ratio mismatch), and on
 * units that rated. Were raters per assigned unit compared instead, a unit that control had at a
 * low share and the canary has at a higher one would count against both arms; a rater's arm given
 * that it rated has no such flaw. 1 where there is no unit.
 */
export function splitPValue(counts: readonly ArmCounts[]): number {
  let difference = 0;
  let variance = 0;
  for (const { q, canary, control } of counts) {
    const units = canary + control;
    difference += canary - q * units;
    variance += q * (1 - q) * units;
  }
  if (variance <= 0) return 1;
  return 1 - chiSquareCdf((difference * difference) / variance, 1);
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
