import type { AbArmCounts, AbCounts } from '../core/ab/compare.ts';
import type { Moments } from '../core/ab/confidence.ts';
import { type AbEntry, type AbMetric, armsOf } from '../core/ab/entry.ts';
import { AB_METRICS, metricsOf } from '../core/ab/metrics.ts';
import { BUSY } from './canary-stats.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

export interface AbLook {
  readonly now_ms: number;
  /** Feedback counts once its call is so old. */
  readonly maturity_ms: number;
}

/** What the store has counted of a run, by arm: one query for events, one for each mean. */
export async function abCounts(
  db: Db,
  run: string,
  entry: AbEntry,
  { now_ms, maturity_ms }: AbLook,
): Promise<AbCounts> {
  const matured_ms = now_ms - maturity_ms;
  const units = await unitCounts(db, run, matured_ms);
  const means: Record<string, Record<string, Moments>> = {};
  for (const metric of metricsOf(entry)) {
    if (AB_METRICS[metric].kind === 'units') continue;
    for (const { arm, n, mean, variance } of await moments(db, run, metric, matured_ms)) {
      means[arm] = { ...means[arm], [metric]: { n, mean, variance } };
    }
  }
  return Object.fromEntries(
    armsOf(entry).map(([arm]): [string, AbArmCounts] => {
      const own = units.filter((cell) => cell.arm === arm);
      const counts = own.map(({ metric, units: n }) => [metric, n] as const);
      return [arm, { units: Object.fromEntries(counts), means: means[arm] ?? {} }];
    }),
  );
}

function unitCounts(db: Db, run: string, matured_ms: number) {
  return rowsOf<{ metric: string; arm: string; units: number }>(
    db,
    sql`select metric, arm, count(*)::int as units from experiment_units
      where experiment = ${run} and events > 0 and unit not in (${BUSY})
        and (metric not in ('rated', 'ratings', 'dissatisfied', 'rating')
          or at_ms <= ${matured_ms})
      group by metric, arm`,
  );
}

/** Of the units' own means. */
function moments(db: Db, run: string, metric: AbMetric, matured_ms: number) {
  const { event, per, log, scale, matures } = AB_METRICS[metric];
  const value = sql`${scale}::float8 * coalesce(amount.events, 0) / counted.events`;
  // A call takes some time, also where the clock saw none: the logarithm of nothing is no number.
  const shown = log ? sql`ln(greatest(${value}, 1e-6))` : value;
  return rowsOf<{ arm: string; n: number; mean: number; variance: number }>(
    db,
    sql`select arm, count(*)::int as n, avg(v)::float8 as mean,
        coalesce(var_samp(v), 0)::float8 as variance
      from (select counted.arm, ${shown} as v
        from experiment_units counted left join experiment_units amount
          on amount.experiment = counted.experiment and amount.unit = counted.unit
          and amount.metric = ${event}
        where counted.experiment = ${run} and counted.metric = ${per} and counted.events > 0
          and counted.unit not in (${BUSY})
          and ${matures ? sql`counted.at_ms <= ${matured_ms}` : sql`true`}) as units
      group by arm`,
  );
}
