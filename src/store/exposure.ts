import { type AbEntry, type AbMetric, type AbUnit, isRunId, unitOfCall } from '../core/ab/entry.ts';
import { AB_METRICS, metricsOf } from '../core/ab/metrics.ts';
import type { CallEvent, Signal } from '../core/event.ts';
import { type CallFacts, isUnpaid } from './call-row.ts';
import { anyOf } from './columns-given.ts';
import type { Deltas } from './deltas.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

/**
 * What calls and ratings count for in the experiment that their call was in. A canary's unit is the
 * call's, and shows events; an A/B run says what its unit is, and adds up numbers as well: whole
 * ones, in the small units that `AB_METRICS` undoes, so that sums commute.
 */

/** Of an A/B run, what its record says of counting. */
export interface RunFacts {
  readonly unit: AbUnit;
  readonly metrics: readonly AbMetric[];
}

export type Runs = ReadonlyMap<string, RunFacts>;

/** The A/B runs that these calls were in. */
export async function runFacts(
  tx: Db,
  calls: readonly Pick<CallFacts, 'experiment'>[],
): Promise<Runs> {
  const ids = new Set<string>();
  for (const { experiment } of calls) {
    if (experiment !== null && isRunId(experiment)) ids.add(experiment);
  }
  if (ids.size === 0) return new Map();
  const rows = await rowsOf<{ id: string; entry: AbEntry }>(
    tx,
    sql`select id, "row" -> 'entry' as entry from experiments where id = ${anyOf([...ids])}`,
  );
  return new Map(
    rows.map(({ id, entry }) => [id, { unit: entry.unit, metrics: metricsOf(entry) }] as const),
  );
}

export interface Exposing {
  /** Milliseconds above which a call is slow, by experiment. */
  readonly slow: ReadonlyMap<string, number>;
  readonly runs: Runs;
}

/** A call that is evidence, for its arm. */
export function countExposure(call: CallEvent, { slow, runs }: Exposing, deltas: Deltas): void {
  const { experiment, arm, share, at_ms } = call;
  if (experiment === null || arm === null) return;
  const run = runs.get(experiment);
  const unit = run ? unitOfCall(run.unit, call) : call.unit;
  if (unit === null) return;
  const slow_ms = slow.get(experiment) ?? Number.POSITIVE_INFINITY;
  const counts: Record<string, number> = {
    assigned: 1,
    error: Number(call.arm_error),
    slow: Number(call.latency_ms > slow_ms),
    abort: Number(call.outcome === 'aborted'),
    ...(run ? amountsOf(call, run) : {}),
  };
  for (const [metric, amount] of Object.entries(counts)) {
    if (amount === 0) continue;
    const where = { experiment, metric, unit, arm, share: share ?? 0, at_ms };
    deltas.experimentUnit(where, amount);
  }
}

/** The numbers of a call that was answered, of the metrics that the run has. */
function amountsOf(call: CallEvent, { metrics }: RunFacts): Record<string, number> {
  if (call.outcome !== 'ok') return {};
  const { latency_ms: latency, ttft_ms: ttft, tokens, cost_usd: cost } = call;
  const paid = isUnpaid(call) ? {} : { tokens_out: tokens.out, cost };
  return amounts(metrics, { latency, ttft, ...paid });
}

function amounts(
  metrics: readonly AbMetric[],
  values: Readonly<Partial<Record<AbMetric, number | null>>>,
): Record<string, number> {
  const added: Record<string, number> = {};
  for (const [metric, value] of Object.entries(values) as [AbMetric, number | null][]) {
    if (!metrics.includes(metric) || value === null) continue;
    const { event, per, scale } = AB_METRICS[metric];
    added[event] = Math.round(value / scale);
    added[per] = 1;
  }
  return added;
}

/** What a call of a run is told to have cost, after it was counted. */
export function countPaid(
  call: CallFacts,
  { tokens_out, cost }: { readonly tokens_out: number; readonly cost: number | null },
  runs: Runs,
  deltas: Deltas,
): void {
  const { experiment, arm, share, at_ms } = call;
  const run = experiment === null ? undefined : runs.get(experiment);
  const unit = run ? unitOfCall(run.unit, call) : null;
  if (experiment === null || arm === null || !run || unit === null) return;
  for (const [metric, amount] of Object.entries(amounts(run.metrics, { tokens_out, cost }))) {
    if (amount === 0) continue;
    deltas.experimentUnit({ experiment, metric, unit, arm, share: share ?? 0, at_ms }, amount);
  }
}

/** What a person said of a call, for its arm; `sign` −1 takes it back. */
export function countVerdict(
  call: CallFacts,
  said: { readonly signal: Signal; readonly value: number; readonly dissatisfied: boolean },
  deltas: Deltas,
  sign: 1 | -1,
): void {
  const { experiment, arm, share, at_ms, ab_unit = null } = call;
  if (experiment === null || arm === null) return;
  const unit = ab_unit === null ? call.unit : unitOfCall(ab_unit, call);
  if (unit === null) return;
  const count = (metric: string, amount: number): void => {
    const where = { experiment, metric, unit, arm, share: share ?? 0, at_ms };
    deltas.experimentUnit(where, sign * amount);
  };
  count('rated', 1);
  if (said.dissatisfied) count('dissatisfied', 1);
  if (ab_unit === null || said.signal !== 'rating') return;
  const { event, per, scale } = AB_METRICS.rating;
  count(per, 1);
  count(event, Math.round(said.value / scale));
}
