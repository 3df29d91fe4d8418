/**
 * The sequential tests of a canary, and the limits that the oracle's monitor and `hive lab canary`
 * share. Imports nothing, so that the lab starts quickly.
 */

/** e-value at which a metric of harm stops a canary: α 5 %, for stopping is cheap. */
export const HARM_LIMIT = 20;
/** e-value that a promotion needs: α 1 %, for being wrong is not. */
export const PROMOTION_LIMIT = 100;
/** Units or raters that fall into the arms less probably than this hold a decision. */
export const SPLIT_P_MIN = 0.001;
export const SILENCE_MS = 30 * 60_000;
const SILENCE_CONTROL_UNITS = 20;
/**
 * The silence must also be improbable for an arm of this share. At 5 %, twenty units of control go
 * by without one of the canary a third of the time, and many gaps are looked at in a canary's life.
 */
const SILENCE_LN_P = Math.log(1e-6);

/** Whether `controlUnits` without one of the canary's say that it does not answer at all. */
export function isSilence(silent_ms: number, controlUnits: number, share: number): boolean {
  if (silent_ms < SILENCE_MS || controlUnits < SILENCE_CONTROL_UNITS) return false;
  return controlUnits * Math.log(1 - share) <= SILENCE_LN_P;
}

/** Rate ratios that the sequential test averages over: small harm and gross harm both show soon. */
export const RATE_RATIOS: readonly number[] = [1.25, 1.5, 2, 3, 4, 6, 8, 12];

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
 * unit break it. `weights` of the ratios add up to 1; without them all weigh the same.
 */
export function evidenceLn(
  counts: readonly ArmCounts[],
  direction: 'harm' | 'improvement' = 'harm',
  weights?: readonly number[],
): number {
  const logs = RATE_RATIOS.map((harmful, index) => {
    const weight = weights === undefined ? 0 : Math.log((weights[index] ?? 0) * weights.length);
    const ratio = direction === 'harm' ? harmful : 1 / harmful;
    const log = Math.log(ratio);
    return counts.reduce((sum, { q, canary, control }) => {
      return sum + canary * log - (canary + control) * Math.log(q * ratio + 1 - q);
    }, weight);
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
 * How many standard deviations the canary has more units than its share; 0 where there is no unit.
 * Its square is chi-square with one degree of freedom, over all shares together.
 */
export function splitDeviation(counts: readonly ArmCounts[]): number {
  let difference = 0;
  let variance = 0;
  for (const { q, canary, control } of counts) {
    const units = canary + control;
    difference += canary - q * units;
    variance += q * (1 - q) * units;
  }
  return variance <= 0 ? 0 : difference / Math.sqrt(variance);
}
