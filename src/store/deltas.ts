import {
  type Cell,
  type Combination,
  cellKey,
  cellsOf,
  DAY_MS,
  finestSpan,
  floorTo,
  HOUR_MS,
  MINUTE_MS,
  SPANS_MS,
} from './cells.ts';
import { createExperimentUnits, type UnitEvent } from './experiment-units.ts';
import {
  addCount,
  addMeasures,
  addUnits,
  createSum,
  isNothing,
  type Measure,
} from './rollup-row.ts';
import type { Db } from './rows.ts';
import { type Step, unitsAt } from './unit-day.ts';
import { createUnitDays, type KnownUnit, type UnitDays } from './unit-days.ts';
import type { CellsOf } from './unit-facts.ts';
import { keepRollups, type Rollup } from './write-rollups.ts';
import { halfOf, type UnitNews, writeUnits } from './write-units.ts';

/**
 * What a batch adds to the rollups, summed up before it is written: a few statements whatever the
 * size of the batch. Sums commute, so the order in which writers are read does not matter.
 */
export interface Deltas {
  /** Counts of calls or of what was said of them, by name. */
  count(
    where: Where,
    counts: Readonly<Record<string, number>>,
    measures?: readonly Measure[],
  ): void;
  /** An event of a unit, or one taken back; `once`: a second in the same hour is the same. */
  fact(where: Where, metric: string, events: 1 | -1, once?: 'once'): void;
  /** A call of a conversation, of which too many in a day are left out. */
  conversationCall(where: Where): void;
  /** A call that shows what findings are about, or no longer does. */
  evidence(where: Where, id: string, shows: boolean): void;
  /** `events`: how many, or how much of it; below 0 they are taken back. */
  experimentUnit(event: UnitEvent, events: number): void;
  /** The number of the part in which the sums wait; null where there are none. */
  write(tx: Db): Promise<number | null>;
}

/** Where something counts: what it is of, when its call was, and whose. */
export interface Where extends Combination {
  readonly at_ms: number;
  readonly arm: string;
  readonly unit: string;
}

/** Findings are made of control and unexposed traffic: the canary's is the monitor's alone. */
export const CONTROL = 'control';

/** `days`: the units as the batch before left them. */
export function createDeltas(days: UnitDays = createUnitDays(halfOf)): Deltas {
  const cellsIn = createCells();
  const rollups = createRollups(cellsIn);
  const news = new Map<KnownUnit, UnitNews>();
  const experiments = createExperimentUnits();
  let last: { readonly where: Where; readonly known: KnownUnit } | null = null;

  const knownOf = (where: Where): KnownUnit => {
    // A call says several things in a row.
    if (last?.where !== where) last = { where, known: days.of(where.agent, where.unit) };
    return last.known;
  };
  const newsOf = (where: Where): UnitNews => {
    const known = knownOf(where);
    const found = news.get(known);
    if (found) return found;
    const made: UnitNews = { known, facts: [], calls: new Map() };
    news.set(known, made);
    return made;
  };
  const stepsOf = ({ unit, half }: KnownUnit): Step => {
    const isUser = unit.startsWith('u:');
    return (cell, metric, kind, at_ms, by, gap) => {
      const { sum } = rollups.at(kind === 'day' ? DAY_MS : HOUR_MS, at_ms, CONTROL, cell);
      const at = unitsAt(kind, gap, half);
      addUnits(sum, metric, at, by);
      // A unit is its user where there is one, so users need no rows of their own.
      if (isUser && metric === 'calls') addUnits(sum, 'users', at, by);
    };
  };

  return {
    count(where, counts, measures = []) {
      const half = knownOf(where).half;
      for (const { sum } of rollups.of(where)) {
        for (const name in counts) addCount(sum, name, half, counts[name] as number);
        addMeasures(sum, half, measures);
      }
    },
    fact(where, metric, events, once) {
      const hour_ms = floorTo(where.at_ms, HOUR_MS);
      newsOf(where).facts.push({ at: where, hour_ms, metric, events, once: once !== undefined });
    },
    conversationCall(where) {
      const { calls } = newsOf(where);
      const day_ms = floorTo(where.at_ms, DAY_MS);
      calls.set(day_ms, (calls.get(day_ms) ?? 0) + 1);
    },
    evidence(where, id, shows) {
      const half = knownOf(where).half;
      for (const cell of cellsIn(where)) {
        const { sum } = rollups.at(HOUR_MS, floorTo(where.at_ms, HOUR_MS), where.arm, cell);
        sum.evidence.set(id, shows ? [where.at_ms, half] : null);
      }
    },
    experimentUnit: (event, events) => experiments.add(event, events),
    async write(tx) {
      await writeUnits(tx, [...news.values()], { cellsIn, stepsOf });
      const all = rollups.all();
      const more = all.filter(({ sum }) => !isNothing(sum));
      // One at least, so that who keeps units sees that they were written.
      const part = await keepRollups(tx, more.length > 0 ? more : all.slice(0, 1));
      await experiments.write(tx);
      return part;
    },
  };
}

/** The sums of a batch by span, arm and cell. */
function createRollups(cellsIn: CellsOf) {
  /** By cell, of which there is one object each; numbers are quicker than texts as keys. */
  const rollups = new Map<Cell, Map<number | string, Rollup>>();
  const lists = new Map<string, readonly Rollup[]>();

  const at = (span_ms: number, at_ms: number, arm: string, cell: Cell): Rollup => {
    const spans = rollups.get(cell) ?? new Map<number | string, Rollup>();
    rollups.set(cell, spans);
    const isControl = arm === CONTROL;
    const key = isControl ? at_ms * 4 + SPANS_MS.indexOf(span_ms) : `${span_ms} ${at_ms} ${arm}`;
    const known = spans.get(key) ?? { span_ms, at_ms, arm, cell, sum: createSum() };
    spans.set(key, known);
    return known;
  };
  return {
    at,
    /**
     * The rows that a call of this minute, arm and combination counts in: of each cell the shortest
     * span's. To the longer ones it is added where parts are added up, once for all calls.
     */
    of(where: Where): readonly Rollup[] {
      const minute_ms = floorTo(where.at_ms, MINUTE_MS);
      const key = `${minute_ms}\t${where.arm}\t${cellKey(where)}`;
      const known = lists.get(key);
      if (known) return known;
      const list = cellsIn(where).map((cell) => {
        const span_ms = finestSpan(cell);
        return at(span_ms, floorTo(minute_ms, span_ms), where.arm, cell);
      });
      lists.set(key, list);
      return list;
    },
    all: () => [...rollups.values()].flatMap((spans) => [...spans.values()]),
  };
}

/** Cells of combinations, one object a cell, so that a cell can be a key. */
function createCells(): CellsOf {
  const cells = new Map<string, Cell>();
  const combinations = new Map<string, readonly Cell[]>();
  const same = (cell: Cell): Cell => {
    const key = cellKey(cell);
    const known = cells.get(key) ?? cell;
    cells.set(key, known);
    return known;
  };
  return (at) => {
    const key = cellKey(at);
    const known = combinations.get(key) ?? cellsOf(at).map(same);
    combinations.set(key, known);
    return known;
  };
}
