import { type CanaryStats, COLD_UNITS, slowAbove } from '../core/canary.ts';
import type { ExperimentRecord, MutationRecord } from '../core/ledger.ts';
import type { Collector } from './collect.ts';
import type { Trials } from './trials.ts';

/** The bar of some latencies; null where they are too few. */
export function p95Bar(latencies: readonly number[]): number | null {
  const sorted = [...latencies].sort((left, right) => left - right);
  const at = 0.95 * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  return slowAbove(low + (high - low) * (at - Math.floor(at)), latencies.length);
}

/**
 * The bar of a canary, as the worker fixes it (`oracle/tend-canaries.ts`): by control, once, and
 * not before the canary has answered its first units. The trial counts by it from then on.
 */
export function slowBarOf(
  {
    collector,
    trials,
  }: {
    readonly collector: Pick<Collector, 'latencies'>;
    readonly trials: Pick<Trials, 'slowAbove'>;
  },
  {
    experiment,
    row,
  }: {
    readonly experiment: Pick<ExperimentRecord, 'id' | 'slow_ms'>;
    readonly row: Pick<MutationRecord, 'agent'>;
  },
  { canary_units }: Pick<CanaryStats, 'canary_units'>,
  at_ms: number,
): number | null {
  const { id, slow_ms } = experiment;
  if (slow_ms !== null || canary_units < COLD_UNITS) return slow_ms;
  const bar = p95Bar(collector.latencies(row.agent, at_ms));
  if (bar !== null) trials.slowAbove(id, bar);
  return bar;
}
