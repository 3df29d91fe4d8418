import { eValue } from '../sequential.ts';
import {
  type Effect,
  type Moments,
  meanInterval,
  meanRatio,
  rateInterval,
  rateRatio,
} from './confidence.ts';
import { type AbEntry, type AbMetric, treatmentsOf } from './entry.ts';
import { AB_METRICS, metricsOf } from './metrics.ts';
import type { AbComparison, AbValue } from './report.ts';

/** What the store has counted of one arm. */
export interface AbArmCounts {
  /** Units by what they showed; those of feedback only where it has matured. */
  readonly units: Readonly<Record<string, number>>;
  readonly means: Readonly<Partial<Record<AbMetric, Moments>>>;
}

export type AbCounts = Readonly<Record<string, AbArmCounts>>;

const NOBODY: Moments = { n: 0, mean: 0, variance: 0 };

export function unitsOf(counts: AbCounts, arm: string, event: string): number {
  return counts[arm]?.units[event] ?? 0;
}

/**
 * How alpha is shared out: half for what decides and half for the guardrails, where there are any,
 * and each half evenly among its comparisons (Bonferroni). So alpha is the chance that anything is
 * said of arms that are alike, however many they are.
 */
export function levelsOf(entry: AbEntry): { readonly primary: number; readonly guardrail: number } {
  const arms = treatmentsOf(entry).length;
  const guardrails = Object.keys(entry.guardrails).length;
  const { alpha } = entry.stop;
  const half = guardrails === 0 ? alpha : alpha / 2;
  return { primary: half / arms, guardrail: alpha / 2 / Math.max(1, arms * guardrails) };
}

export function comparisonsOf(entry: AbEntry, counts: AbCounts): readonly AbComparison[] {
  return treatmentsOf(entry).flatMap((arm) =>
    metricsOf(entry).map((metric) => compare(entry, counts, arm, metric)),
  );
}

function compare(entry: AbEntry, counts: AbCounts, arm: string, metric: AbMetric): AbComparison {
  const bound = Object.hasOwn(entry.guardrails, metric) ? entry.guardrails[metric] : undefined;
  const levels = levelsOf(entry);
  const role = metric === entry.metric ? 'primary' : bound === undefined ? 'also' : 'guardrail';
  const alpha = role === 'also' ? entry.stop.alpha : levels[role];
  const effect = effectOf(entry, counts, { arm, metric, alpha });
  const { better, of } = AB_METRICS[metric];
  const less = effect.high < 0;
  const more = effect.low > 0;
  const proven = less || more ? (less === (better === 'lower') ? 'better' : 'worse') : null;
  const guarded = bound === undefined ? {} : { bound, broken: isBroken(effect, better, bound) };
  const e = eValue(effect.evidence_ln);
  return {
    arm,
    metric,
    role,
    of,
    change: effect.evidence_ln === 0 ? null : Math.expm1(effect.estimate),
    low: Math.expm1(effect.low),
    high: effect.high >= UNBOUNDED ? null : Math.expm1(effect.high),
    e,
    p: Math.min(1, 1 / e),
    alpha,
    proven,
    ...guarded,
  };
}

/** Beyond this the interval's end is where the search ended, not where the evidence is. */
const UNBOUNDED = 7.9;

function effectOf(
  entry: AbEntry,
  counts: AbCounts,
  { arm, metric, alpha }: { readonly arm: string; readonly metric: AbMetric; alpha: number },
): Effect {
  const { kind, event, per, log } = AB_METRICS[metric];
  if (kind === 'mean') {
    const [treatment, control] = [arm, 'control'].map((name) => counts[name]?.means[metric]);
    return meanRatio(treatment ?? NOBODY, control ?? NOBODY, { alpha, log });
  }
  const share = entry.arms[arm]?.share ?? 0;
  const q = share / (share + (entry.arms.control?.share ?? 0));
  const [treatment, control] = [unitsOf(counts, arm, event), unitsOf(counts, 'control', event)];
  const effect = rateRatio({ treatment, control, q }, alpha);
  const units = [arm, 'control'].map((name) => unitsOf(counts, name, per)) as [number, number];
  return { ...effect, estimate: plainEstimate([treatment, control], units, effect) };
}

/**
 * The ratio of the two rates as the report shows them, so that whoever divides them finds the
 * change: the evidence goes by the shares that the arms were to have, which differ by chance from
 * the units that came. Within the interval, which may leave it out where the arms' raters differ
 * in number.
 */
function plainEstimate(
  [treatment, control]: readonly [number, number],
  [own, other]: readonly [number, number],
  { estimate, low, high }: Effect,
): number {
  if (own === 0 || other === 0) return estimate;
  // Half an event more in both where control has none: nothing is so many times as much as none.
  const more = control === 0 ? 0.5 : 0;
  const ratio = (treatment + more) / own / ((control + more) / other);
  return Math.min(high, Math.max(low, Math.log(ratio)));
}

function isBroken({ low, high }: Effect, better: 'lower' | 'higher', bound: number): boolean {
  return better === 'lower' ? low > Math.log1p(bound) : high < Math.log1p(-bound);
}

/** A metric in one arm. Of `success` it is the share without a failure; `log` means are undone. */
export function armValueOf(
  counts: AbCounts,
  arm: string,
  metric: AbMetric,
  alpha: number,
): AbValue {
  const { kind, event, per, log } = AB_METRICS[metric];
  if (kind === 'mean') {
    const moments = counts[arm]?.means[metric] ?? NOBODY;
    const undo = log ? Math.exp : (value: number): number => value;
    const interval = meanInterval(moments, alpha);
    return {
      metric,
      n: moments.n,
      value: moments.n === 0 ? null : undo(moments.mean),
      low: interval && undo(interval[0]),
      high: interval && undo(interval[1]),
    };
  }
  const n = unitsOf(counts, arm, per);
  const events = Math.min(n, unitsOf(counts, arm, event));
  const [low, high] = rateInterval(events, n, alpha);
  if (n === 0) return { metric, n, value: null, low: null, high: null };
  const rate = events / n;
  if (metric !== 'success') return { metric, n, value: rate, low, high };
  return { metric, n, value: 1 - rate, low: 1 - high, high: 1 - low };
}
