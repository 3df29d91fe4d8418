import { unitFraction } from '../core/unit.ts';
import { DAY_MS, floorTo } from './cells.ts';
import { sql } from './drizzle.ts';
import { type Db, jsonRows, rowsOf } from './rows.ts';
import type { Fact, Seen, UnitDay, UnitStep } from './unit-day.ts';
import { applyFacts } from './unit-facts.ts';

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

interface StoredDay {
  readonly day_ms: number;
  readonly agent: string;
  readonly unit: string;
  readonly calls: number;
  readonly seen: string;
}

/**
 * Writes what happened to units, and tells which counts of distinct units that changes. Rows are
 * read, changed here and written whole, under the caller's lock.
 */
export async function writeUnits(
  tx: Db,
  news: readonly UnitNews[],
  halfBy: (unit: string) => 0 | 1,
  step: (step: UnitStep, unit: string) => void,
): Promise<void> {
  if (news.length === 0) return;
  const days = await readDays(tx, news);
  const changed: object[] = [];
  for (const { agent, unit, facts, calls } of news) {
    const half = halfBy(unit);
    const touched = new Set([
      ...facts.map(({ hour_ms }) => floorTo(hour_ms, DAY_MS)),
      ...calls.keys(),
    ]);
    const dayOf = (day_ms: number) => days.get(dayKey(day_ms, agent, unit)) ?? null;
    for (const day_ms of [...touched].sort((a, b) => a - b)) {
      const today = dayOf(day_ms) ?? { day_ms, seen: {}, calls: 0 };
      const steps = applyFacts(
        today,
        facts.filter(({ hour_ms }) => floorTo(hour_ms, DAY_MS) === day_ms),
        calls.get(day_ms) ?? 0,
        { before: dayOf(day_ms - DAY_MS), after: dayOf(day_ms + DAY_MS) },
      );
      if (steps === null) continue;
      days.set(dayKey(day_ms, agent, unit), today);
      for (const one of steps) step(one, unit);
      changed.push({ ...today, agent, unit, half, seen: JSON.stringify(today.seen) });
    }
  }
  if (changed.length === 0) return;
  await tx.execute(sql`
    insert into unit_facts
    select * from json_populate_recordset(null::unit_facts, ${jsonRows(changed)}::json)
    on conflict (day_ms, agent, unit) do update set calls = excluded.calls, seen = excluded.seen`);
}

/** The rows of the days that the news are of, and of those next to them. */
async function readDays(tx: Db, news: readonly UnitNews[]): Promise<Map<string, UnitDay>> {
  const keys = new Map<string, object>();
  for (const { agent, unit, facts, calls } of news) {
    for (const at_ms of [...facts.map(({ hour_ms }) => hour_ms), ...calls.keys()]) {
      for (const day_ms of [-DAY_MS, 0, DAY_MS].map((by) => floorTo(at_ms, DAY_MS) + by)) {
        keys.set(dayKey(day_ms, agent, unit), { day_ms, agent, unit });
      }
    }
  }
  const rows = await rowsOf<StoredDay>(
    tx,
    sql`select u.day_ms::float8 as day_ms, u.agent, u.unit, u.calls::float8 as calls, u.seen
    from json_to_recordset(${jsonRows([...keys.values()])}::json) as k (day_ms bigint, agent text,
      unit text)
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
