import type { SQL } from 'drizzle-orm';
import { sql } from './drizzle.ts';
import { type Db, jsonRows } from './rows.ts';

/**
 * What a batch adds to the rollups, summed up before it is written: one statement a table whatever
 * the size of the batch. Sums commute, so the order in which writers are read does not matter.
 */
export interface Deltas {
  minute(key: MinuteKey, counts: Partial<MinuteCounts>): void;
  unitHour(key: UnitHourKey, counts: Partial<UnitHourCounts>): void;
  unitDay(day_ms: number, unit: string): void;
  experimentUnit(event: UnitEvent, events: 1 | -1): void;
  write(tx: Db): Promise<void>;
}

export interface MinuteKey {
  readonly minute_ms: number;
  readonly agent: string;
  readonly target: string;
  readonly tenant: string;
  readonly arm: string;
}

const MINUTE_COUNTS = [
  'calls',
  'errors',
  'aborted',
  'rejected',
  'retries',
  'regenerations',
  'latency_sum_ms',
  'tokens_in',
  'tokens_out',
  'cost_sum_usd',
  'ratings',
  'rating_sum',
  'verdicts',
  'dissatisfied',
  'complaints',
  'corrections',
] as const;
export type MinuteCounts = Record<(typeof MINUTE_COUNTS)[number], number>;

export interface UnitHourKey {
  readonly hour_ms: number;
  readonly agent: string;
  readonly target: string;
  readonly tenant: string;
  readonly unit: string;
}

const UNIT_HOUR_COUNTS = ['calls', 'errors', 'aborted', 'rated', 'dissatisfied'] as const;
export type UnitHourCounts = Record<(typeof UNIT_HOUR_COUNTS)[number], number>;

/** One metric's event of a unit in an experiment, as its call was assigned. */
export interface UnitEvent {
  readonly experiment: string;
  readonly metric: string;
  readonly unit: string;
  readonly arm: string;
  readonly share: number;
  readonly at_ms: number;
}

export function createDeltas(): Deltas {
  const minutes = new Map<string, MinuteKey & MinuteCounts>();
  const hours = new Map<string, UnitHourKey & UnitHourCounts>();
  const days = new Map<string, { day_ms: number; unit: string; calls: number }>();
  const units = new Map<string, UnitEvent & { readonly events: number }>();

  return {
    minute({ minute_ms, agent, target, tenant, arm }, counts) {
      add(minutes, { minute_ms, agent, target, tenant, arm }, MINUTE_COUNTS, counts);
    },
    unitHour({ hour_ms, agent, target, tenant, unit }, counts) {
      add(hours, { hour_ms, agent, target, tenant, unit }, UNIT_HOUR_COUNTS, counts);
    },
    unitDay(day_ms, unit) {
      const key = `${day_ms}\0${unit}`;
      days.set(key, { day_ms, unit, calls: (days.get(key)?.calls ?? 0) + 1 });
    },
    experimentUnit(event, events) {
      const key = `${event.experiment}\0${event.metric}\0${event.unit}`;
      const known = units.get(key);
      const first = known && (events < 0 || known.at_ms <= event.at_ms) ? known : event;
      units.set(key, { ...first, events: (known?.events ?? 0) + events });
    },
    async write(tx) {
      await writeAll(tx, [...minutes.values()], MINUTES);
      await writeAll(tx, [...hours.values()], UNIT_HOURS);
      await writeAll(tx, [...days.values()], UNIT_DAYS);
      const changed = [...units.values()].filter(({ events }) => events !== 0);
      await writeAll(tx, changed, EXPERIMENT_UNITS);
    },
  };
}

function add<Key extends object, Name extends string>(
  sums: Map<string, Key & Record<Name, number>>,
  key: Key,
  names: readonly Name[],
  counts: Partial<Record<Name, number>>,
): void {
  const id = Object.values(key).join('\0');
  let known = sums.get(id);
  if (!known) {
    const zeros = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
    known = { ...key, ...zeros };
    sums.set(id, known);
  }
  const totals: Record<Name, number> = known;
  for (const name of names) totals[name] += counts[name] ?? 0;
}

async function writeAll(
  tx: Db,
  rows: readonly object[],
  statement: (rows: string) => SQL,
): Promise<void> {
  if (rows.length > 0) await tx.execute(statement(jsonRows(rows)));
}

const plus = (table: string, names: readonly string[]): SQL =>
  sql.raw(names.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(', '));

const MINUTES = (rows: string): SQL => sql`
  insert into rollup_minutes
  select * from json_populate_recordset(null::rollup_minutes, ${rows}::json)
  on conflict (minute_ms, agent, target, tenant, arm)
  do update set ${plus('rollup_minutes', MINUTE_COUNTS)}`;

const UNIT_HOURS = (rows: string): SQL => sql`
  insert into unit_hours select * from json_populate_recordset(null::unit_hours, ${rows}::json)
  on conflict (hour_ms, agent, target, tenant, unit)
  do update set ${plus('unit_hours', UNIT_HOUR_COUNTS)}`;

const UNIT_DAYS = (rows: string): SQL => sql`
  insert into unit_days select * from json_populate_recordset(null::unit_days, ${rows}::json)
  on conflict (day_ms, unit) do update set ${plus('unit_days', ['calls'])}`;

/** The earliest call's arm, share and time; of a row that stood at nothing, whatever comes next. */
const EARLIER = sql.raw(
  `excluded.events > 0
   and (experiment_units.events <= 0 or excluded.at_ms < experiment_units.at_ms)`,
);
const earliest = (name: string): SQL =>
  sql`${sql.raw(name)} = case when ${EARLIER} then ${sql.raw(`excluded.${name}`)}
    else ${sql.raw(`experiment_units.${name}`)} end`;

const EXPERIMENT_UNITS = (rows: string): SQL => sql`
  insert into experiment_units
  select * from json_populate_recordset(null::experiment_units, ${rows}::json)
  on conflict (experiment, metric, unit)
  do update set ${earliest('arm')}, ${earliest('share')}, ${earliest('at_ms')},
    ${plus('experiment_units', ['events'])}`;
