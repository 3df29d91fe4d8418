import { type ArmCounts, splitDeviation } from '../core/sequential.ts';

/** Units by arm, each counted once a metric. */
export interface Tally extends ArmCounts {
  canary: number;
  control: number;
}

export interface CanaryCounts {
  readonly assigned: Tally;
  readonly error: Tally;
  readonly slow: Tally;
  readonly rated: Tally;
  readonly dissatisfied: Tally;
  /** Units whose latency was ranked, and the sums of their scores. */
  readonly scored: Tally;
  readonly scores: Tally;
}

export function createCounts(q: number): CanaryCounts {
  const tally = (): Tally => ({ q, canary: 0, control: 0 });
  return {
    assigned: tally(),
    error: tally(),
    slow: tally(),
    rated: tally(),
    dissatisfied: tally(),
    scored: tally(),
    scores: tally(),
  };
}

/** Two-sided p 0.001 of the normal distribution. */
const SPLIT_LIMIT = 3.2905267314919255;

/**
 * Why a tally contradicts the share, or null. Too many units in b overstate its harm, any
 * difference may overstate what is better.
 */
export function splitText(tally: Tally, which: 'excess' | 'any' | 'raters'): string | null {
  const deviation = splitDeviation([tally]);
  if ((which === 'excess' ? deviation : Math.abs(deviation)) <= SPLIT_LIMIT) return null;
  const share = (100 * tally.canary) / (tally.canary + tally.control);
  const seen = `${share.toFixed(1)} % of ${tally.canary + tally.control}`;
  if (which === 'raters')
    return `held: ${seen} raters are in b, not ${100 * tally.q} % (p < 0.001)`;
  return `held: ${seen} units are in b, not ${100 * tally.q} % (p < 0.001); see --share`;
}

/**
 * Whether b is worse in a metric by more than one standard error: no proof, but a reason not to
 * promote. It passes by itself where the two are equal.
 */
export function leansToHarm(
  counts: CanaryCounts,
  metric: 'error' | 'slow' | 'dissatisfied' | 'latency',
): boolean {
  if (metric === 'latency') {
    const { scored, scores } = counts;
    if (scored.canary === 0 || scored.control === 0) return false;
    const difference = scores.canary / scored.canary - scores.control / scored.control;
    return difference > Math.sqrt(1 / scored.canary + 1 / scored.control);
  }
  const events = counts[metric];
  const units = metric === 'dissatisfied' ? counts.rated : counts.assigned;
  const all = units.canary + units.control;
  if (units.canary === 0 || units.control === 0) return false;
  const pooled = (events.canary + events.control) / all;
  const difference = events.canary / units.canary - events.control / units.control;
  const variance = pooled * (1 - pooled) * (1 / units.canary + 1 / units.control);
  return difference > Math.sqrt(variance);
}
