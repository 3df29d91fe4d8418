import type { SQL } from 'drizzle-orm';
import { type CanaryStats, type Cell, slowAbove } from '../core/canary.ts';
import type { ExperimentRecord } from '../core/ledger.ts';
import { DAY_MS } from './cells.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';
import { CONVERSATION_CALLS_MAX } from './unit-day.ts';

/** Units that were too busy to be one user, on any day that is kept. */
export const BUSY = sql.raw(`select unit from unit_facts where calls > ${CONVERSATION_CALLS_MAX}`);

/**
 * The sequential test's statistic: units of an experiment counted once a metric, at the arm and
 * share of the first call that shows it. `matured` are those whose call is at least `maturity_ms`
 * old.
 */
export function canaryCells(
  db: Db,
  experiment: string,
  { now_ms, maturity_ms }: { readonly now_ms: number; readonly maturity_ms: number },
): Promise<readonly Cell[]> {
  return rowsOf<Cell>(
    db,
    sql`select metric, share, arm, count(*)::int as units,
      (count(*) filter (where at_ms <= ${now_ms - maturity_ms}))::int as matured
    from experiment_units
    where experiment = ${experiment} and events > 0 and unit not in (${BUSY})
      and arm in ('canary', 'control')
    group by metric, share, arm order by metric, share, arm`,
  );
}

/**
 * Whether the canary is still being heard of: when its newest call was, and how many control units
 * have called at this share since; all of them where the canary never called.
 */
export async function canaryFreshness(
  db: Db,
  experiment: string,
  { share }: { readonly share: number },
): Promise<{ readonly canary_last_ms: number | null; readonly control_units_since: number }> {
  const [row] = await rowsOf<{ last_ms: number | null; units: number }>(
    db,
    sql`with newest as (select max(at_ms) as at_ms from calls
        where experiment = ${experiment} and arm = 'canary'
          and origin = 'client' and outcome <> 'rejected')
      select (select at_ms from newest)::float8 as last_ms, count(distinct unit)::int as units
      from calls where experiment = ${experiment} and arm = 'control' and share = ${share}
        and origin = 'client' and outcome <> 'rejected'
        and at_ms > coalesce((select at_ms from newest), 0)`,
  );
  return { canary_last_ms: row?.last_ms ?? null, control_units_since: row?.units ?? 0 };
}

/** Distinct raters who complained about canary answers since then. */
export async function complaintsOf(
  db: Db,
  experiment: string,
  { since_ms }: { readonly since_ms: number },
): Promise<number> {
  const [row] = await rowsOf<{ raters: number }>(
    db,
    sql`select count(distinct f.rater)::int as raters from feedback f join calls c on c.id = f.call
      where f.counted and f.signal = 'complaint' and f.value > 0 and f.at_ms >= ${since_ms}
        and c.experiment = ${experiment} and c.arm = 'canary'`,
  );
  return row?.raters ?? 0;
}

const SLOW_CALLS_MAX = 2000;

/**
 * Above which latency a call of the agent is slow: max(1.25 × p95, p95 + 50 ms) of its newest
 * successful calls of a day, canaries left out; null where there are too few. Frozen by whoever
 * starts an experiment.
 */
export async function slowThreshold(
  db: Db,
  agent: string,
  { now_ms }: { readonly now_ms: number },
): Promise<number | null> {
  const [row] = await rowsOf<{ n: number; p95: number | null }>(
    db,
    sql`select count(*)::int as n, percentile_cont(0.95) within group (order by latency_ms) as p95
      from (select latency_ms from calls
        where agent = ${agent} and at_ms > ${now_ms - DAY_MS} and at_ms <= ${now_ms}
          and origin = 'client' and outcome = 'ok' and (arm is null or arm = 'control')
        order by at_ms desc limit ${SLOW_CALLS_MAX}) as newest`,
  );
  return row?.p95 == null ? null : slowAbove(row.p95, row.n);
}

export interface Withheld {
  readonly epoch: number;
  readonly at_ms: number;
  readonly cause: 'expired' | 'trigger';
  readonly reason: string;
}

/** When the gateway withheld the experiment's arm by itself, and why; oldest first. */
export function withheldOf(db: Db, experiment: string): Promise<readonly Withheld[]> {
  return rowsOf<Withheld>(
    db,
    sql`select epoch::float8 as epoch, at_ms::float8 as at_ms, cause, reason from withheld
      where experiment = ${experiment} order by at_ms`,
  );
}

/**
 * Distinct units that the canary arm has served, in all and at one share. `assigned` of the cells
 * counts a unit where it was first, so a returning unit that control had at a lower share is seen
 * only here.
 */
export async function canaryUnits(
  db: Db,
  experiment: string,
  { share }: { readonly share: number },
): Promise<{ readonly canary_units: number; readonly canary_units_at_share: number }> {
  const [row] = await rowsOf<{ units: number; at_share: number }>(
    db,
    sql`select count(distinct unit)::int as units,
        (count(*) filter (where share = ${share}))::int as at_share
      from exposures where experiment = ${experiment} and arm = 'canary'`,
  );
  return { canary_units: row?.units ?? 0, canary_units_at_share: row?.at_share ?? 0 };
}

/**
 * Units of both arms that since then came to this share, came to the experiment, and showed the
 * primary metric, each for the first time; null where either half of the time has no call at this
 * share.
 */
export async function canaryArrivals(
  db: Db,
  { id, share, primary }: Pick<ExperimentRecord, 'id' | 'share' | 'primary'>,
  { now_ms, since_ms }: { readonly now_ms: number; readonly since_ms: number },
): Promise<CanaryStats['arrivals']> {
  const halfway_ms = (since_ms + now_ms) / 2;
  const newTo = (metric: string): SQL => sql`(select count(*)::int from experiment_units
    where experiment = ${id} and metric = ${metric} and events > 0 and at_ms > ${since_ms})`;
  const shown = sql`exposures where experiment = ${id} and share = ${share}`;
  const [row] = await rowsOf<{
    at_share: number;
    in_all: number;
    primary: number;
    whole: boolean;
  }>(
    db,
    sql`select (select count(*)::int from (select unit from ${shown}
          group by unit having min(first_ms) > ${since_ms}) as units) as at_share,
      exists (select 1 from ${shown} and last_ms > ${halfway_ms})
        and exists (select 1 from calls
          where experiment = ${id} and arm = any(array(select distinct arm from ${shown}))
            and at_ms > ${since_ms} and at_ms <= ${halfway_ms} and share = ${share}
            and origin = 'client' and outcome <> 'rejected') as whole,
      ${newTo('assigned')} as in_all, ${newTo(primary)} as primary`,
  );
  if (!row?.whole) return null;
  return { at_share: row.at_share, in_all: row.in_all, primary: row.primary };
}
