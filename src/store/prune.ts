import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from './cells.ts';
import { sql } from './drizzle.ts';
import type { Store } from './open.ts';
import { pruneRouteNews } from './route-news.ts';
import { rowsOf } from './rows.ts';

export interface PruneOptions {
  readonly now_ms: number;
  /** `store.events_days` of the policy: how long single calls and feedback are kept. */
  readonly events_days: number;
}

/** How long rollups are kept: minutes for short series, hours for long ones, days for years. */
const KEPT_MS: readonly (readonly [span_ms: number, kept_ms: number])[] = [
  [MINUTE_MS, 2 * DAY_MS],
  [HOUR_MS, 30 * DAY_MS],
  [DAY_MS, 3 * 365 * DAY_MS],
];
/**
 * Units are kept as long as something may still be said of their calls: feedback is matched to a
 * call that is stored, and a row's neighbours are the days next to it.
 */
const UNIT_DAYS_BEYOND_EVENTS = 2;
/** Analyses with findings: what plans and people refer to. */
const ANALYSES_DAYS = 90;

/**
 * Deletes what is older than the policy keeps. The embedded store has no autovacuum, so its space
 * and its planner's statistics are renewed here.
 */
export async function pruneStore(
  store: Store,
  { now_ms, events_days }: PruneOptions,
): Promise<void> {
  const { db } = store;
  const events_ms = now_ms - events_days * DAY_MS;
  const [old] = await rowsOf<{ found: boolean }>(
    db,
    sql`select exists (select 1 from calls where at_ms < ${events_ms}) as found`,
  );
  for (const table of ['calls', 'feedback', 'reports']) {
    await db.execute(sql`delete from ${sql.raw(table)} where at_ms < ${events_ms}`);
  }
  await pruneRouteNews(store, old?.found ?? false);
  for (const [span_ms, kept_ms] of KEPT_MS) {
    for (const table of ['rollups', 'rollup_changes']) {
      await db.execute(sql`delete from ${sql.raw(table)}
        where span_ms = ${span_ms} and at_ms < ${now_ms - kept_ms}`);
    }
  }
  const units_ms = floorTo(events_ms, DAY_MS) - UNIT_DAYS_BEYOND_EVENTS * DAY_MS;
  await db.execute(sql`delete from unit_facts where day_ms < ${units_ms}`);
  await db.execute(sql`delete from cycles where started_ms < ${events_ms} and state <> 'running'`);
  const analyses_ms = now_ms - ANALYSES_DAYS * DAY_MS;
  for (const table of ['findings', 'analyses']) {
    await db.execute(sql`delete from ${sql.raw(table)} where at_ms < ${analyses_ms}`);
  }
  if (store.kind === 'pglite') await db.execute(sql`vacuum analyze`);
}
