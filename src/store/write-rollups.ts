import { CELLS_MAX, cellKey, DAY_MS, floorTo, HOUR_MS, MINUTE_MS, otherCell } from './cells.ts';
import { type Columns, columnsGiven } from './columns-given.ts';
import { sql } from './drizzle.ts';
import {
  addMeasured,
  addRow,
  addSum,
  createSum,
  partOfSum,
  ROLLUP_COLUMNS,
  type RollupKey,
  type RollupRow,
  type RollupSum,
  rowOfSum,
} from './rollup-row.ts';
import { type Db, jsonRows, rowsOf, storableJson } from './rows.ts';

export type Rollup = RollupKey & { readonly sum: RollupSum };

export function rollupKey({ span_ms, at_ms, arm, cell }: RollupKey): string {
  return `${span_ms}\t${at_ms}\t${arm}\t${cellKey(cell)}`;
}

/** Any number: whoever writes rollups in one database must name the same. */
const ROLLUPS_LOCK = 4_853_222;

/**
 * Until the transaction ends, nobody else applies a journal or adds up. Returns the number of the
 * last part that anybody has tried to keep.
 */
export async function lockRollups(tx: Db): Promise<number> {
  // A subquery of the lock's row, so that it is read when the lock is held.
  const [last] = await rowsOf<{ part: number }>(
    tx,
    sql`select (select last_value from rollup_parts_id_seq where lock.held is not null)::float8
      as part from (select pg_advisory_xact_lock(${ROLLUPS_LOCK})::text as held offset 0) as lock`,
  );
  return last?.part ?? 0;
}

const SPAN: Columns<{ span_ms: number; at_ms: number }> = { span_ms: 'bigint', at_ms: 'bigint' };

/** Batches that wait to be added up together. */
const PARTS_MAX = 16;

/**
 * What is stored of a part. What was counted and measured is in the row of a cell's shortest span
 * alone. A list of rows, as it was before, has it in the rows of all spans.
 */
interface Part {
  readonly finest: readonly RollupRow[];
}

/**
 * Keeps what a batch adds; every so often, adds up what was kept. The caller holds the lock.
 * Returns the part's number.
 */
export async function keepRollups(tx: Db, rollups: readonly Rollup[]): Promise<number | null> {
  if (rollups.length === 0) return null;
  const part: Part = { finest: rollups.map((rollup) => partOfSum(rollup, rollup.sum)) };
  const rows = storableJson(part);
  const [kept] = await rowsOf<{ id: number; parts: number }>(
    tx,
    sql`with kept as (insert into rollup_parts (rows) values (${rows}) returning id)
      select id::float8 as id, 1 + (select count(*)::int from rollup_parts) as parts from kept`,
  );
  if ((kept?.parts ?? 0) >= PARTS_MAX) await addParts(tx);
  return kept?.id ?? null;
}

/** Adds to the rollups what batches have left for them. The caller holds the lock. */
export async function addParts(tx: Db): Promise<void> {
  // The newest first: what it takes back of evidence must not come again from an older one.
  const texts = await rowsOf<{ id: number; rows: string }>(
    tx,
    sql`select id::float8 as id, rows from rollup_parts order by id desc`,
  );
  if (texts.length === 0) return;
  const rollups = new Map<string, Rollup>();
  const parts = texts.map(({ rows }) => JSON.parse(rows) as Part | readonly RollupRow[]);
  for (const part of parts) if ('finest' in part) addRows(rollups, part.finest);
  addUp(rollups);
  // Left by the version before, which is to say older than all others.
  for (const part of parts) if (!('finest' in part)) addRows(rollups, part);
  await writeRollups(tx, [...rollups.values()]);
  await tx.execute(sql`delete from rollup_parts`);
}

function addRows(rollups: Map<string, Rollup>, rows: readonly RollupRow[]): void {
  for (const row of rows) {
    const { span_ms, at_ms, arm, agent, target, tenant, category } = row;
    const cell = { agent, target, tenant, category };
    addRow(rollupIn(rollups, { span_ms, at_ms, arm, cell }).sum, row);
  }
}

/** Adds minutes to their hours, and then hours to their days. */
function addUp(rollups: Map<string, Rollup>): void {
  for (const [from_ms, to_ms] of [
    [MINUTE_MS, HOUR_MS],
    [HOUR_MS, DAY_MS],
  ] as const) {
    // Those that are added on the way are of the longer span, and skipped.
    for (const { span_ms, at_ms, arm, cell, sum } of rollups.values()) {
      if (span_ms !== from_ms || (sum.counts.size === 0 && sum.tallies === null)) continue;
      const longer = { span_ms: to_ms, at_ms: floorTo(at_ms, to_ms), arm, cell };
      addMeasured(rollupIn(rollups, longer).sum, sum);
    }
  }
}

function rollupIn(rollups: Map<string, Rollup>, key: RollupKey): Rollup {
  const name = rollupKey(key);
  const known = rollups.get(name) ?? { ...key, sum: createSum() };
  rollups.set(name, known);
  return known;
}

const ROLLUP_NAMES = sql.raw(Object.keys(ROLLUP_COLUMNS).join(', '));

/**
 * Adds sums to the rows of `rollups`: read, added up here, and written whole, since a sketch cannot
 * be added to in SQL. The caller's lock keeps others from doing it at the same time.
 */
async function writeRollups(tx: Db, given: readonly Rollup[]): Promise<void> {
  if (given.length === 0) return;
  const known = new Map<string, RollupRow>();
  await readInto(known, tx, given);
  const rollups = await foldOthers(tx, given, known);
  const rows = rollups.map((rollup) => {
    const row = known.get(rollupKey(rollup));
    if (row) addRow(rollup.sum, row);
    return rowOfSum(rollup, rollup.sum);
  });
  await tx.execute(sql`
    insert into rollups (${ROLLUP_NAMES})
    select * from ${columnsGiven(ROLLUP_COLUMNS, rows)} as rows
    on conflict (span_ms, at_ms, arm, agent, target, tenant, category) do update set
      calls = excluded.calls, counts = excluded.counts, units = excluded.units,
      sketches = excluded.sketches, evidence = excluded.evidence,
      latency_p50_ms = excluded.latency_p50_ms, latency_p95_ms = excluded.latency_p95_ms,
      ttft_p50_ms = excluded.ttft_p50_ms, tokens_mean = excluded.tokens_mean,
      cost_mean_usd = excluded.cost_mean_usd`);
  await markChanged(tx, rollups);
}

/** The rows of these keys that exist. */
async function readInto(
  known: Map<string, RollupRow>,
  tx: Db,
  keys: readonly RollupKey[],
): Promise<void> {
  const asked = keys.map(({ span_ms, at_ms, arm, cell }) => ({ span_ms, at_ms, arm, ...cell }));
  const rows = await rowsOf<RollupRow>(
    tx,
    sql`select r.span_ms::float8 as span_ms, r.at_ms::float8 as at_ms, r.arm, r.agent, r.target,
      r.tenant, r.category, r.counts, r.units, r.sketches, r.evidence
    from json_to_recordset(${jsonRows(asked)}::json) as k (span_ms bigint, at_ms bigint, arm text,
      agent text, target text, tenant text, category text)
    join rollups r using (span_ms, at_ms, arm, agent, target, tenant, category)`,
  );
  for (const row of rows) known.set(rollupKey({ ...row, cell: row }), row);
}

/**
 * A span has at most `CELLS_MAX` rows: what comes to a full one in a new cell is counted as
 * `other`. An agent's own cell is never folded. Once a cell is folded in a span it stays so, for
 * rows do not go before their span does: what is taken back is taken from where it was put.
 */
async function foldOthers(
  tx: Db,
  given: readonly Rollup[],
  known: Map<string, RollupRow>,
): Promise<readonly Rollup[]> {
  const fresh = given.filter((rollup) => !known.has(rollupKey(rollup)));
  if (fresh.length === 0) return given;
  const room = await roomOf(tx, fresh);
  const kept = new Map<string, Rollup>();
  const folded: Rollup[] = [];
  for (const rollup of given) {
    const key = rollupKey(rollup);
    const span = spanKey(rollup);
    const left = room.get(span) ?? 0;
    const other = otherCell(rollup.cell);
    const isOther = cellKey(other) === cellKey(rollup.cell);
    if (known.has(key) || isOther || left > 0) {
      kept.set(key, rollup);
      if (!known.has(key)) room.set(span, left - 1);
    } else folded.push({ ...rollup, cell: other });
  }
  if (folded.length === 0) return given;
  await readInto(known, tx, folded);
  for (const rollup of folded) {
    const key = rollupKey(rollup);
    const same = kept.get(key);
    if (same) addSum(same.sum, rollup.sum);
    else kept.set(key, rollup);
  }
  return [...kept.values()];
}

function spanKey({ span_ms, at_ms }: RollupKey): string {
  return `${span_ms}\t${at_ms}`;
}

/** How many new rows each span has room for. */
async function roomOf(tx: Db, keys: readonly RollupKey[]): Promise<Map<string, number>> {
  const spans = new Map(
    keys.map(({ span_ms, at_ms }) => [`${span_ms}\t${at_ms}`, { span_ms, at_ms }]),
  );
  const counts = await rowsOf<{ span_ms: number; at_ms: number; rows: number }>(
    tx,
    sql`select k.span_ms::float8 as span_ms, k.at_ms::float8 as at_ms,
      (select count(*)::int from rollups r
        where r.span_ms = k.span_ms and r.at_ms = k.at_ms) as rows
    from ${columnsGiven(SPAN, [...spans.values()])} as k`,
  );
  return new Map(
    counts.map(({ span_ms, at_ms, rows }) => [`${span_ms}\t${at_ms}`, CELLS_MAX - rows]),
  );
}

async function markChanged(tx: Db, rollups: readonly RollupKey[]): Promise<void> {
  const spans = new Map(
    rollups.map(({ span_ms, at_ms }) => [`${span_ms}\t${at_ms}`, { span_ms, at_ms }]),
  );
  await tx.execute(sql`
    insert into rollup_changes (span_ms, at_ms, change)
    select span_ms, at_ms, txid_current()
    from ${columnsGiven(SPAN, [...spans.values()])} as k
    on conflict (span_ms, at_ms) do update set change = excluded.change`);
}
