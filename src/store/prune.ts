import { DAY_MS } from './apply-calls.ts';
import { sql } from './drizzle.ts';
import type { Store } from './open.ts';

export interface PruneOptions {
  readonly now_ms: number;
  /** `store.events_days` of the policy: how long single calls and feedback are kept. */
  readonly events_days: number;
}

/** The past that findings are compared with ends a week before a window of a day. */
const ROLLUP_DAYS = 9;
const UNIT_DAYS = 30;

/**
 * Deletes what is older than the policy keeps. The embedded store has no autovacuum, so its space
 * and its planner's statistics are renewed here.
 */
export async function pruneStore(
  store: Store,
  { now_ms, events_days }: PruneOptions,
): Promise<void> {
  const events_ms = now_ms - events_days * DAY_MS;
  for (const table of ['calls', 'feedback', 'reports']) {
    await store.db.execute(sql`delete from ${sql.raw(table)} where at_ms < ${events_ms}`);
  }
  const rollups_ms = now_ms - ROLLUP_DAYS * DAY_MS;
  const units_ms = now_ms - UNIT_DAYS * DAY_MS;
  await store.db.execute(sql`delete from rollup_minutes where minute_ms < ${rollups_ms}`);
  await store.db.execute(sql`delete from unit_hours where hour_ms < ${units_ms}`);
  await store.db.execute(sql`delete from unit_days where day_ms < ${units_ms}`);
  if (store.kind === 'pglite') await store.db.execute(sql`vacuum analyze`);
}
