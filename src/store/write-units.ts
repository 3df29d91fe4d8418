import { unitFraction } from '../core/unit.ts';
import { DAY_MS, floorTo } from './cells.ts';
import { type Columns, columnsGiven } from './columns-given.ts';
import { copyRows } from './copy-rows.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';
import { type Fact, parseSeen, type Step, seenText } from './unit-day.ts';
import type { KnownUnit } from './unit-days.ts';
import { applyFacts, type CellsOf, createTouched } from './unit-facts.ts';

/** What a batch says of a unit of an agent. */
export interface UnitNews {
  readonly known: KnownUnit;
  readonly facts: Fact[];
  /** Calls of a conversation by day; empty for other units. */
  readonly calls: Map<number, number>;
}

/** A unit's half, for splitting a sample: what was found in one is confirmed in the other. */
export function halfOf(unit: string): 0 | 1 {
  return unitFraction('split', unit) < 0.5 ? 0 : 1;
}

export interface UnitCounting {
  readonly cellsIn: CellsOf;
  /** Where the counts of distinct units step that this unit changes. */
  readonly stepsOf: (known: KnownUnit) => Step;
}

interface DayKey {
  readonly day_ms: number;
  readonly agent: string;
  readonly unit: string;
}

interface StoredDay extends DayKey {
  readonly calls: number;
  readonly seen: string;
}

const KEYS: Columns<DayKey> = { day_ms: 'bigint', agent: 'text', unit: 'text' };

type UnitRow = StoredDay & { readonly half: 0 | 1 };

const COLUMNS: Columns<UnitRow> = {
  ...KEYS,
  half: 'int',
  calls: 'bigint',
  seen: 'text',
};

/**
 * Writes what happened to units, and tells which counts of distinct units that changes. Rows are
 * read where they are not known, changed here and written whole, under the caller's lock.
 */
export async function writeUnits(
  tx: Db,
  news: readonly UnitNews[],
  { cellsIn, stepsOf }: UnitCounting,
): Promise<void> {
  if (news.length === 0) return;
  await readDays(tx, news);
  const fresh: UnitRow[] = [];
  const changed: UnitRow[] = [];
  const touchedOf = createTouched(cellsIn);
  for (const one of news) {
    const { known, facts, calls } = one;
    const { agent, unit, half, days } = known;
    const step = stepsOf(known);
    const touched = daysOf(one);
    for (const day_ms of touched) {
      const stored = days.get(day_ms) ?? null;
      const today = stored ?? { day_ms, seen: [], calls: 0 };
      const before = days.get(day_ms - DAY_MS) ?? null;
      const after = days.get(day_ms + DAY_MS) ?? null;
      const mine =
        touched.length === 1
          ? facts
          : facts.filter(({ hour_ms }) => floorTo(hour_ms, DAY_MS) === day_ms);
      const made = calls.get(day_ms) ?? 0;
      if (!applyFacts({ before, today, after }, mine, made, touchedOf, step)) continue;
      days.set(day_ms, today);
      const seen = seenText(today.seen);
      const row = { day_ms, agent, unit, half, calls: today.calls, seen };
      (stored === null ? fresh : changed).push(row);
    }
  }
  if (fresh.length > 0) await copyRows(tx, 'unit_facts', COLUMNS, fresh);
  if (changed.length === 0) return;
  const rows = columnsGiven(COLUMNS, changed);
  await tx.execute(sql`
    insert into unit_facts (day_ms, agent, unit, half, calls, seen) select * from ${rows} as rows
    on conflict (day_ms, agent, unit) do update set calls = excluded.calls, seen = excluded.seen`);
}

/** The days that the news are of, ascending. */
function daysOf({ facts, calls }: UnitNews): readonly number[] {
  const [first] = facts;
  if (first && facts.length === 1 && calls.size === 0) return [floorTo(first.hour_ms, DAY_MS)];
  const days = new Set(calls.keys());
  for (const { hour_ms } of facts) days.add(floorTo(hour_ms, DAY_MS));
  return [...days].sort((a, b) => a - b);
}

/** Reads the rows of the days that the news are of, and of those next to them. */
async function readDays(tx: Db, news: readonly UnitNews[]): Promise<void> {
  const [stored] = await rowsOf<{ first_ms: number | null; last_ms: number | null }>(
    tx,
    sql`select min(day_ms)::float8 as first_ms, max(day_ms)::float8 as last_ms from unit_facts`,
  );
  const first_ms = stored?.first_ms ?? Number.POSITIVE_INFINITY;
  const last_ms = stored?.last_ms ?? Number.NEGATIVE_INFINITY;
  const mayBeStored = (day_ms: number) => day_ms >= first_ms && day_ms <= last_ms;
  const units = new Map<string, KnownUnit>();
  const keys: DayKey[] = [];
  for (const one of news) {
    const { known } = one;
    const { agent, unit, days } = known;
    let isAsked = false;
    for (const touched_ms of daysOf(one)) {
      for (const day_ms of [touched_ms - DAY_MS, touched_ms, touched_ms + DAY_MS]) {
        if (days.has(day_ms)) continue;
        days.set(day_ms, null);
        if (!mayBeStored(day_ms)) continue;
        keys.push({ day_ms, agent, unit });
        isAsked = true;
      }
    }
    if (isAsked) units.set(`${agent}\t${unit}`, known);
  }
  if (keys.length === 0) return;
  const rows = await rowsOf<StoredDay>(
    tx,
    sql`select u.day_ms::float8 as day_ms, u.agent, u.unit, u.calls::float8 as calls, u.seen
    from ${columnsGiven(KEYS, keys)} as k
    join unit_facts u using (day_ms, agent, unit)`,
  );
  for (const { day_ms, agent, unit, calls, seen } of rows) {
    const day = { day_ms, calls, seen: parseSeen(seen) };
    units.get(`${agent}\t${unit}`)?.days.set(day_ms, day);
  }
}
