import type { DecisionLog, LogColumns } from './log.ts';

/** Why a log, its join with a target, or their weights say nothing of the target; else null. */

/** Fewer effective rows than this say too little of the target. */
export const ESS_MIN = 200;
/** The share of rows whose propensity may be no probability before the log is refused. */
export const INVALID_SHARE_MAX = 0.01;
/** The share of the target's probability that may lie on what the log never chose. */
export const UNSUPPORTED_MAX = 0.05;
/** A log of which more than this share was certain did not explore. */
const CERTAIN_SHARE_MAX = 0.99;
/** Weights average 1 if the propensities are the log's own: how far off, in share and in se. */
const WEIGHT_OFF_MAX = 0.25;
const WEIGHT_Z_MAX = 5;

export function logRefusal(
  log: DecisionLog,
  { rows, propensity, options, optionSets }: LogColumns,
) {
  const invalid = log.invalid();
  if (rows + invalid === 0) return 'the log has no rows';
  if (invalid / (rows + invalid) > INVALID_SHARE_MAX) {
    const share = percent(invalid / (rows + invalid));
    return `${share} of the propensities are no probabilities above 0: they cannot be trusted`;
  }
  let certain = 0;
  for (let row = 0; row < rows; row += 1) {
    const only = optionSets[options[row] as number]?.size === 1;
    if (!only && (propensity[row] as number) > 1 - 1e-9) certain += 1;
  }
  if (certain / rows <= CERTAIN_SHARE_MAX) return null;
  return 'the log is deterministic: it never chose otherwise, so nothing else can be evaluated';
}

export function joinRefusal(joined: number, unknown: number): string | null {
  if (joined > 0) return null;
  return `no id of the target is in the log (${unknown} are not)`;
}

export function weightRefusal(
  weight: Float64Array,
  ess: number,
  unsupported: number,
): string | null {
  if (unsupported > UNSUPPORTED_MAX) {
    const share = percent(unsupported);
    return `no support: ${share} of the target's probability is on actions the log never chose`;
  }
  if (ess < ESS_MIN) {
    return `effective sample size ${ess.toFixed(1)} of ${weight.length} rows is below ${ESS_MIN}`;
  }
  let sum = 0;
  let squares = 0;
  for (const value of weight) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / weight.length;
  const se = Math.sqrt(Math.max(0, squares / weight.length - mean * mean) / weight.length);
  const off = Math.abs(mean - (1 - unsupported));
  if (off <= WEIGHT_OFF_MAX || off <= WEIGHT_Z_MAX * se) return null;
  return (
    `the propensities are not those of the log: weights average ${mean.toFixed(2)} ` +
    `where 1 is due (standard error ${se.toFixed(3)})`
  );
}

export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
