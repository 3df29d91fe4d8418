import { unitFraction } from '../core/unit.ts';
import { DAY_MS, floorTo } from './cells.ts';
import { type Columns, columnsGiven } from './columns-given.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';
import type { Fact, Seen, Step, UnitDay } from './unit-day.ts';
import { applyFacts, type CellsOf } from './unit-facts.ts';

/** What a batch says of a unit of an agent. */
export interface UnitNews {
  readonly agent: string;
  readonly unit: string;
  readonly facts: Fact[];
  /** Calls of a conversation by day; empty for other units. */
  readonly calls: Map<number, number>;
}

/** A unit's half, for splitting a sample: what was found in one is confirmed in the other. */
export function halfOf(unit: string): 0 | 1 {
  return unitFraction('split', unit) < 0.5 ? 0 : 1;
}

export interface UnitCounting {
  readonly halfBy: (unit: string) => 0 | 1;
  readonly cellsIn: CellsOf;
  /** Where the counts of distinct units step that this unit changes. */
  readonly stepsOf: (unit: string) => Step;
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
const COLUMNS: Columns<StoredDay & { half: 0 | 1 }> = {
  ...KEYS,
  half: 'int',
  calls: 'bigint',
  seen: 'text',
};

/**
 * Writes what happened to units, and tells which counts of distinct units that changes. Rows are
 * read, changed here and written whole, under the caller's lock.
 */
export async function writeUnits(
  tx: Db,
  news: readonly UnitNews[],
  { halfBy, cellsIn, stepsOf }: UnitCounting,
): Promise<void> {
  if (news.length === 0) return;
  const days = await readDays(tx, news);
  const changed = new Map<string, StoredDay & { readonly half: 0 | 1 }>();
  for (const one of news) {
    const { agent, unit, facts, calls } = one;
    const half = halfBy(unit);
    const step = stepsOf(unit);
    const touched = daysOf(one);
    const dayOf = (day_ms: number) => days.get(dayKey(day_ms, agent, unit)) ?? null;
    for (const day_ms of touched) {
      const today = dayOf(day_ms) ?? { day_ms, seen: {}, calls: 0 };
      const before = dayOf(day_ms - DAY_MS);
      const after = dayOf(day_ms + DAY_MS);
      const mine =
        touched.length === 1
          ? facts
          : facts.filter(({ hour_ms }) => floorTo(hour_ms, DAY_MS) === day_ms);
      const made = calls.get(day_ms) ?? 0;
      if (!applyFacts({ before, today, after }, mine, made, cellsIn, step)) continue;
      const key = dayKey(day_ms, agent, unit);
      days.set(key, today);
      const seen = JSON.stringify(today.seen);
      changed.set(key, { day_ms, agent, unit, half, calls: today.calls, seen });
    }
  }
  if (changed.size === 0) return;
  const rows = columnsGiven(COLUMNS, [...changed.values()]);
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

/** The rows of the days that the news are of, and of those next to them. */
async function readDays(tx: Db, news: readonly UnitNews[]): Promise<Map<string, UnitDay>> {
  const [newest] = await rowsOf<{ day_ms: number | null }>(
    tx,
    sql`select max(day_ms)::float8 as day_ms from unit_facts`,
  );
  const last_ms = newest?.day_ms ?? null;
  if (last_ms === null) return new Map();
  const keys = new Map<string, DayKey>();
  for (const one of news) {
    const { agent, unit } = one;
    for (const touched_ms of daysOf(one)) {
      for (const day_ms of [touched_ms - DAY_MS, touched_ms, touched_ms + DAY_MS]) {
        if (day_ms <= last_ms) keys.set(dayKey(day_ms, agent, unit), { day_ms, agent, unit });
      }
    }
  }
  const rows = await rowsOf<StoredDay>(
    tx,
    sql`select u.day_ms::float8 as day_ms, u.agent, u.unit, u.calls::float8 as calls, u.seen
    from ${columnsGiven(KEYS, [...keys.values()])} as k
    join unit_facts u using (day_ms, agent, unit)`,
  );
  return new Map(
    rows.map(({ day_ms, agent, unit, calls, seen }) => [
      dayKey(day_ms, agent, unit),
      { day_ms, calls, seen: JSON.parse(seen) as Seen },
    ]),
  );
}

function dayKey(day_ms: number, agent: string, unit: string): string {
  return `${day_ms}\t${agent}\t${unit}`;
}
