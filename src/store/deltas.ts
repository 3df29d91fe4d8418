import {
  type Cell,
  type Combination,
  cellKey,
  cellsOf,
  DAY_MS,
  floorTo,
  HOUR_MS,
  isCounted,
  SPANS_MS,
} from './cells.ts';
import { createExperimentUnits, type UnitEvent } from './experiment-units.ts';
import { addCount, addMeasures, addUnits, createSum, type Measure } from './rollup-row.ts';
import type { Db } from './rows.ts';
import type { Step } from './unit-day.ts';
import type { CellsOf } from './unit-facts.ts';
import { type Rollup, writeRollups } from './write-rollups.ts';
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
  experimentUnit(event: UnitEvent, events: 1 | -1): void;
  write(tx: Db): Promise<void>;
}

/** Where something counts: what it is of, when its call was, and whose. */
export interface Where extends Combination {
  readonly at_ms: number;
  readonly arm: string;
  readonly unit: string;
}

/** Findings are made of control and unexposed traffic: the canary's is the monitor's alone. */
export const CONTROL = 'control';

export function createDeltas(): Deltas {
  /** By cell, of which there is one object each; numbers are quicker than texts as keys. */
  const rollups = new Map<Cell, Map<number | string, Rollup>>();
  const targets = new Map<string, readonly Rollup[]>();
  const news = new Map<string, UnitNews>();
  const halves = new Map<string, 0 | 1>();
  const experiments = createExperimentUnits();

  const halfBy = (unit: string): 0 | 1 => {
    let half = halves.get(unit);
    if (half === undefined) {
      half = halfOf(unit);
      halves.set(unit, half);
    }
    return half;
  };
  const cellsIn = createCells();
  const rollupFor = (span_ms: number, at_ms: number, arm: string, cell: Cell): Rollup => {
    let spans = rollups.get(cell);
    if (!spans) {
      spans = new Map();
      rollups.set(cell, spans);
    }
    const key =
      arm === CONTROL ? at_ms * 4 + SPANS_MS.indexOf(span_ms) : `${span_ms} ${at_ms} ${arm}`;
    let rollup = spans.get(key);
    if (!rollup) {
      rollup = { span_ms, at_ms, arm, cell, sum: createSum() };
      spans.set(key, rollup);
    }
    return rollup;
  };
  /** The rows that a call of this minute, arm and combination counts in. */
  const rollupsOf = (where: Where): readonly Rollup[] => {
    const minute_ms = floorTo(where.at_ms, SPANS_MS[0] as number);
    const key = `${minute_ms}\t${where.arm}\t${cellKey(where)}`;
    let found = targets.get(key);
    if (!found) {
      const cells = cellsIn(where);
      found = SPANS_MS.flatMap((span_ms) =>
        cells
          .filter((cell) => isCounted(cell, span_ms))
          .map((cell) => rollupFor(span_ms, floorTo(minute_ms, span_ms), where.arm, cell)),
      );
      targets.set(key, found);
    }
    return found;
  };
  const newsOf = ({ agent, unit }: Where): UnitNews => {
    const key = `${agent}\t${unit}`;
    let known = news.get(key);
    if (!known) {
      known = { agent, unit, facts: [], calls: new Map() };
      news.set(key, known);
    }
    return known;
  };
  const stepsOf = (unit: string): Step => {
    const half = halfBy(unit);
    const isUser = unit.startsWith('u:');
    return (cell, metric, kind, at_ms, by) => {
      const { sum } = rollupFor(kind === 'day' ? DAY_MS : HOUR_MS, at_ms, CONTROL, cell);
      const at = kind === 'last' ? 2 + half : half;
      addUnits(sum, metric, at, by);
      // A unit is its user where there is one, so users need no rows of their own.
      if (isUser && metric === 'calls') addUnits(sum, 'users', at, by);
    };
  };

  return {
    count(where, counts, measures = []) {
      const half = halfBy(where.unit);
      for (const { sum } of rollupsOf(where)) {
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
      const half = halfBy(where.unit);
      for (const { span_ms, sum } of rollupsOf(where)) {
        if (span_ms === HOUR_MS) sum.evidence.set(id, shows ? [where.at_ms, half] : null);
      }
    },
    experimentUnit: (event, events) => experiments.add(event, events),
    async write(tx) {
      await writeUnits(tx, [...news.values()], { halfBy, cellsIn, stepsOf });
      await writeRollups(
        tx,
        [...rollups.values()].flatMap((spans) => [...spans.values()]),
      );
      await experiments.write(tx);
    },
  };
}

/** Cells of combinations, one object a cell, so that a cell can be a key. */
function createCells(): CellsOf {
  const combinations = new Map<string, readonly Cell[]>();
  const cells = new Map<string, Cell>();
  const same = (cell: Cell): Cell => {
    const key = cellKey(cell);
    const known = cells.get(key) ?? cell;
    cells.set(key, known);
    return known;
  };
  return (at) => {
    const key = cellKey(at);
    let known = combinations.get(key);
    if (!known) {
      known = cellsOf(at).map(same);
      combinations.set(key, known);
    }
    return known;
  };
}
