import type { SQL } from 'drizzle-orm';
import { sql } from './drizzle.ts';
import { type Db, jsonRows } from './rows.ts';

/** One metric's event of a unit in an experiment, as its call was assigned. */
export interface UnitEvent {
  readonly experiment: string;
  readonly metric: string;
  readonly unit: string;
  readonly arm: string;
  readonly share: number;
  readonly at_ms: number;
}

export interface ExperimentUnits {
  /** `events`: how many, or how much of it; below 0 they are taken back. */
  add(event: UnitEvent, events: number): void;
  write(tx: Db): Promise<void>;
}

/** When a unit called in an arm at a share, for the first and the last time. */
interface Exposure extends Pick<UnitEvent, 'experiment' | 'share' | 'arm' | 'unit'> {
  readonly first_ms: number;
  readonly last_ms: number;
}

/** Collects a batch's events of units in experiments, and writes them in two statements. */
export function createExperimentUnits(): ExperimentUnits {
  const units = new Map<string, UnitEvent & { readonly events: number }>();
  const exposures = new Map<string, Exposure>();
  const expose = ({ experiment, share, arm, unit, at_ms }: UnitEvent): void => {
    const key = `${experiment}\0${share}\0${arm}\0${unit}`;
    const { first_ms, last_ms } = exposures.get(key) ?? { first_ms: at_ms, last_ms: at_ms };
    const times = { first_ms: Math.min(first_ms, at_ms), last_ms: Math.max(last_ms, at_ms) };
    exposures.set(key, { experiment, share, arm, unit, ...times });
  };
  return {
    add(event, events) {
      if (event.metric === 'assigned') expose(event);
      const key = `${event.experiment}\0${event.metric}\0${event.unit}`;
      const known = units.get(key);
      const first = known && (events < 0 || known.at_ms <= event.at_ms) ? known : event;
      units.set(key, { ...first, events: (known?.events ?? 0) + events });
    },
    async write(tx) {
      const changed = [...units.values()].filter(({ events }) => events !== 0);
      if (changed.length > 0) await tx.execute(statement(jsonRows(changed)));
      if (exposures.size > 0) await tx.execute(exposing(jsonRows([...exposures.values()])));
    },
  };
}

/** The earliest call's arm, share and time; of a row that stood at nothing, whatever comes next. */
const EARLIER = sql.raw(
  `excluded.events > 0
   and (experiment_units.events <= 0 or excluded.at_ms < experiment_units.at_ms)`,
);
const earliest = (name: string): SQL =>
  sql`${sql.raw(name)} = case when ${EARLIER} then ${sql.raw(`excluded.${name}`)}
    else ${sql.raw(`experiment_units.${name}`)} end`;

const statement = (rows: string): SQL => sql`
  insert into experiment_units
  select * from json_populate_recordset(null::experiment_units, ${rows}::json)
  on conflict (experiment, metric, unit)
  do update set ${earliest('arm')}, ${earliest('share')}, ${earliest('at_ms')},
    events = experiment_units.events + excluded.events`;

const exposing = (rows: string): SQL => sql`
  insert into exposures
  select * from json_populate_recordset(null::exposures, ${rows}::json)
  on conflict (experiment, share, arm, unit) do update set
    first_ms = least(exposures.first_ms, excluded.first_ms),
    last_ms = greatest(exposures.last_ms, excluded.last_ms)`;
