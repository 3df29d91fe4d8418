import { type Cell, HOUR_MS, MINUTE_MS } from './cells.ts';
import { anyOf } from './columns-given.ts';
import { CONTROL } from './deltas.ts';
import { sql } from './drizzle.ts';
import type { RollupRow } from './rollup-row.ts';
import { type Db, rowsOf } from './rows.ts';

/** Numbers as one parameter. */
const anyAt = (ats: readonly number[]) =>
  sql`any(array(select json_array_elements_text(${JSON.stringify(ats)}::json)::bigint))`;

/** Which spans have rows from then on, and the transaction that last wrote each. */
export async function readChanges(
  db: Db,
  span_ms: number,
  { from_ms, to_ms }: { readonly from_ms: number; readonly to_ms: number },
): Promise<ReadonlyMap<number, number>> {
  const rows = await rowsOf<{ at_ms: number; change: number }>(
    db,
    sql`select at_ms::float8 as at_ms, change::float8 as change from rollup_changes
      where span_ms = ${span_ms} and at_ms >= ${from_ms} and at_ms < ${to_ms} order by at_ms`,
  );
  return new Map(rows.map(({ at_ms, change }) => [at_ms, change]));
}

/**
 * The same in short: one string a state. A change is a transaction's number, so how many there are,
 * the newest and their sum tell every state from others.
 */
export async function readState(
  db: Db,
  span_ms: number,
  { from_ms, to_ms }: { readonly from_ms: number; readonly to_ms: number },
): Promise<string> {
  const [row] = await rowsOf<{ state: string }>(
    db,
    sql`select concat_ws(' ', count(*), max(change), sum(change)) as state from rollup_changes
      where span_ms = ${span_ms} and at_ms >= ${from_ms} and at_ms < ${to_ms}`,
  );
  return row?.state ?? '';
}

/** All cells of control and unexposed traffic in one span. */
export function readSpan(db: Db, span_ms: number, at_ms: number): Promise<readonly RollupRow[]> {
  return rowsOf<RollupRow>(
    db,
    sql`select span_ms::float8 as span_ms, at_ms::float8 as at_ms, arm, agent, target, tenant,
      category, counts, units, sketches, evidence from rollups
    where span_ms = ${span_ms} and at_ms = ${at_ms} and arm = ${CONTROL}`,
  );
}

/** What a series shows of a cell in an hour. */
export interface Point extends Cell {
  readonly at_ms: number;
  readonly calls: number;
  readonly latency_p50_ms: number | null;
  readonly latency_p95_ms: number | null;
  readonly ttft_p50_ms: number | null;
  readonly tokens_mean: number | null;
  readonly cost_mean_usd: number | null;
  /** Distinct units by metric. */
  readonly units: Readonly<Record<string, number>> | null;
}

/**
 * Points of some hours and cells, with the units of these metrics; of hours without a row there is
 * none. A row's list of units says also how long ago each came before: all but its first two
 * numbers stay in the database.
 */
export function readPoints(
  db: Db,
  ats: readonly number[],
  cells: readonly Cell[],
  metrics: readonly string[],
): Promise<readonly Point[]> {
  return rowsOf<Point>(
    db,
    sql`select at_ms::float8 as at_ms, agent, target, tenant, category, calls::float8 as calls,
      latency_p50_ms, latency_p95_ms, ttft_p50_ms, tokens_mean, cost_mean_usd,
      (select json_object_agg(u.key,
          coalesce((u.value->>0)::float8, 0) + coalesce((u.value->>1)::float8, 0))
        from jsonb_each(units) as u where u.key = ${anyOf(metrics)}) as units
    from json_to_recordset(${JSON.stringify(cells)}::json) as k (agent text, target text,
      tenant text, category text)
    join rollups using (agent, target, tenant, category)
    where span_ms = ${HOUR_MS} and at_ms = ${anyAt(ats)} and arm = ${CONTROL}`,
  );
}

export interface MinuteRow {
  readonly at_ms: number;
  readonly agent: string;
  readonly target: string;
  readonly calls: number;
  readonly sketches: string | null;
}

/** Minutes of agents and their targets. */
export function readMinutes(db: Db, ats: readonly number[]): Promise<readonly MinuteRow[]> {
  return rowsOf<MinuteRow>(
    db,
    sql`select at_ms::float8 as at_ms, agent, target, calls::float8 as calls, sketches
    from rollups where span_ms = ${MINUTE_MS} and at_ms = ${anyAt(ats)} and arm = ${CONTROL}`,
  );
}

export interface SlowBar {
  readonly slow_ms: number;
  readonly since_ms: number;
}

export async function readSlowBars(db: Db): Promise<ReadonlyMap<string, SlowBar>> {
  const rows = await rowsOf<SlowBar & { agent: string }>(
    db,
    sql`select agent, slow_ms, since_ms::float8 as since_ms from slow_bars`,
  );
  return new Map(rows.map(({ agent, ...bar }) => [agent, bar]));
}

export async function writeSlowBar(db: Db, agent: string, bar: SlowBar): Promise<void> {
  await db.execute(sql`
    insert into slow_bars (agent, slow_ms, since_ms)
    values (${agent}, ${bar.slow_ms}, ${bar.since_ms})
    on conflict (agent) do update set slow_ms = excluded.slow_ms, since_ms = excluded.since_ms`);
}
