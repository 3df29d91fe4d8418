import type { SegmentObservation, Series, UnitMetric, Window } from '../core/observation.ts';
import { basisOf, QUANTITIES, SIGNAL_METRICS } from '../core/observation.ts';
import { countOf, createTally, mergeTally, type Tally, tallyQuantile } from '../core/sketch.ts';
import { type Cell, cellKey, DAY_MS, floorTo, HOUR_MS, MINUTE_MS, segmentOf } from './cells.ts';
import { createPointRings, type PointRings } from './point-rings.ts';
import {
  type MinuteRow,
  type Point,
  readChanges,
  readMinutes,
  readPoints,
  readState,
} from './read-rollups.ts';
import type { Db } from './rows.ts';
import { decodeTallies } from './sketch-text.ts';
import { createLatest } from './spans.ts';

/** The largest segments have series; all others are judged by their windows alone. */
export const SERIES_SEGMENTS_MAX = 64;
const HOURS_OF = 14 * 24;
const STEP_MS = 5 * MINUTE_MS;
const STEPS_OF = DAY_MS / STEP_MS;
/** Hours, or steps, in one query: a first reading takes no more memory than this many need. */
const HOURS_AT_ONCE = 6;
const STEPS_AT_ONCE = 12;

type Values = readonly (number | null)[];
type StepPoint = Omit<Point, 'units'>;

/**
 * Hourly series over 14 days, and of agents and targets also in steps of five minutes over a day:
 * whole spans only, since a running one looks like a fall. What was read is kept, and read again
 * where it was written to.
 */
export function createSeriesReader(db: Db) {
  let chosen = new Map<string, Cell>();
  let chosen_at_ms = 0;
  const hours = createPointRings(HOUR_MS, HOURS_OF, HOUR_COLUMNS.length);
  const steps = createPointRings(STEP_MS, STEPS_OF, POINT_COLUMNS.length);
  const hourlyLatest = createLatest<readonly Series[]>();
  const stepsLatest = createLatest<readonly Series[]>();

  const readHours = async (window: Window): Promise<void> => {
    const fresh = hours.choose(chosen.keys()).map((key) => chosen.get(key) as Cell);
    const changes = await readChanges(db, HOUR_MS, window);
    const stale = hours.stale(changes);
    const isStale = new Set(stale);
    const put = (points: readonly Point[]): void => {
      for (const point of points) hours.put(cellKey(point), point.at_ms, hourNumbers(point));
    };
    const others = fresh.length > 0 ? hours.known().filter((at_ms) => !isStale.has(at_ms)) : [];
    for (const ats of chunks(others, HOURS_AT_ONCE)) {
      put(await readPoints(db, ats, fresh, HOURLY_UNITS));
    }
    for (const ats of chunks(stale, HOURS_AT_ONCE)) {
      const points = await readPoints(db, ats, [...chosen.values()], HOURLY_UNITS);
      for (const at_ms of ats) hours.begin(at_ms, changes.get(at_ms) as number);
      put(points);
    }
  };

  return {
    async read(
      now_ms: number,
      segments: readonly SegmentObservation[],
    ): Promise<readonly Series[]> {
      const hour_ms = floorTo(now_ms, HOUR_MS);
      const largest = largestOf(segments);
      if (hour_ms !== chosen_at_ms || largest.size > chosen.size) {
        chosen = largest;
        chosen_at_ms = hour_ms;
      }
      const window = { from_ms: hour_ms - HOURS_OF * HOUR_MS, to_ms: hour_ms };
      const keys = [...chosen.keys()].join();
      const hoursKey = `${hour_ms} ${await readState(db, HOUR_MS, window)} ${keys}`;
      if (!hourlyLatest.has(hoursKey)) {
        await readHours(window).catch((thrown: unknown) => {
          // What was chosen and not read would look read at the next look.
          hours.choose([]);
          throw thrown;
        });
      }
      const hourly = hourlyLatest.of(hoursKey, () =>
        [...chosen].flatMap(([key, cell]) => hourlyOf(cell, hours.of(key), hour_ms)),
      );
      const step_ms = floorTo(now_ms, STEP_MS);
      const day = { from_ms: step_ms - DAY_MS, to_ms: step_ms };
      const stepsKey = `${step_ms} ${await readState(db, MINUTE_MS, day)} ${keys}`;
      if (!stepsLatest.has(stepsKey)) await readSteps(db, steps, step_ms);
      const stepped = stepsLatest.of(stepsKey, () =>
        [...chosen].flatMap(([key, cell]) => steplyOf(cell, steps.of(key), step_ms)),
      );
      return [...hourly, ...stepped];
    },
  };
}

function largestOf(segments: readonly SegmentObservation[]): Map<string, Cell> {
  const calls = new Map<string, { readonly cell: Cell; calls: number }>();
  for (const { segment, calls: n } of segments) {
    const { agent, target, tenant, category } = segment;
    const cell = { agent, target: target ?? '', tenant: tenant ?? '', category: category ?? '' };
    const known = calls.get(cellKey(cell)) ?? { cell, calls: 0 };
    known.calls += n;
    calls.set(cellKey(cell), known);
  }
  const ranked = [...calls].sort(
    ([leftKey, left], [rightKey, right]) =>
      right.calls - left.calls || (leftKey < rightKey ? -1 : 1),
  );
  return new Map(ranked.slice(0, SERIES_SEGMENTS_MAX).map(([key, { cell }]) => [key, cell]));
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const parts = Math.ceil(items.length / size);
  return Array.from({ length: parts }, (_, at) => items.slice(at * size, (at + 1) * size));
}

async function readSteps(db: Db, steps: PointRings, to_ms: number): Promise<void> {
  const minutes = await readChanges(db, MINUTE_MS, { from_ms: to_ms - DAY_MS, to_ms });
  const changes = new Map<number, number>();
  for (const [at_ms, change] of minutes) {
    const step_ms = floorTo(at_ms, STEP_MS);
    changes.set(step_ms, Math.max(changes.get(step_ms) ?? 0, change));
  }
  for (const ats of chunks(steps.stale(changes), STEPS_AT_ONCE)) {
    const each = ats.flatMap((at_ms) => [0, 1, 2, 3, 4].map((by) => at_ms + by * MINUTE_MS));
    const points = stepPoints(await readMinutes(db, each));
    for (const at_ms of ats) steps.begin(at_ms, changes.get(at_ms) as number);
    for (const point of points) {
      steps.put(cellKey(point), point.at_ms, pointNumbers(point));
    }
  }
}

function stepPoints(rows: readonly MinuteRow[]): readonly StepPoint[] {
  const sums = new Map<string, { readonly first: MinuteRow; calls: number; tallies: Tally[] }>();
  for (const row of rows) {
    const key = `${floorTo(row.at_ms, STEP_MS)}\t${row.agent}\t${row.target}`;
    const empty = { first: row, calls: 0, tallies: QUANTITIES.map(() => createTally()) };
    const sum = sums.get(key) ?? empty;
    sum.calls += row.calls;
    for (const half of row.sketches === null ? [] : decodeTallies(row.sketches)) {
      for (const [at, tally] of half.entries()) {
        if (tally !== null) mergeTally(sum.tallies[at] as Tally, tally);
      }
    }
    sums.set(key, sum);
  }
  return [...sums.values()].map(({ first: { at_ms, agent, target }, calls, tallies }) => {
    const of = (name: (typeof QUANTITIES)[number]) => tallies[QUANTITIES.indexOf(name)] as Tally;
    const mean = (tally: Tally) => (countOf(tally) === 0 ? null : tally.sum / countOf(tally));
    const [tokensIn, tokensOut] = [mean(of('tokens_in')), mean(of('tokens_out'))];
    return {
      at_ms: floorTo(at_ms, STEP_MS),
      agent,
      target,
      tenant: '',
      category: '',
      calls,
      latency_p50_ms: tallyQuantile(of('latency_ms'), 0.5),
      latency_p95_ms: tallyQuantile(of('latency_ms'), 0.95),
      ttft_p50_ms: tallyQuantile(of('ttft_ms'), 0.5),
      tokens_mean: tokensIn === null ? tokensOut : tokensIn + (tokensOut ?? 0),
      cost_mean_usd: mean(of('cost_usd')),
    };
  });
}

const MEASURED = [
  'latency_p50_ms',
  'latency_p95_ms',
  'ttft_p50_ms',
  'tokens_mean',
  'cost_mean_usd',
] as const;

/** Which metric is a share of which units. */
const RATES: readonly (readonly [UnitMetric, string])[] = [
  ['error', 'calls'],
  ['abort', 'calls'],
  ['slow', 'calls'],
  ['dissatisfied', 'rated'],
  ...SIGNAL_METRICS.map((name) => [name, basisOf(name)] as const),
];

const HOURLY_UNITS: readonly string[] = [...new Set(RATES.flat())];
/** The numbers of a point, in a ring. */
const POINT_COLUMNS = ['calls', ...MEASURED] as const;
const HOUR_COLUMNS: readonly string[] = [
  ...POINT_COLUMNS,
  ...HOURLY_UNITS.map((metric) => `units:${metric}`),
];

function pointNumbers(point: StepPoint): number[] {
  return POINT_COLUMNS.map((name) => point[name] ?? Number.NaN);
}

function hourNumbers(point: Point): number[] {
  const units = HOURLY_UNITS.map((metric) => point.units?.[metric] ?? 0);
  return [...pointNumbers(point), ...units];
}

type PointAt = ReturnType<PointRings['of']>;

function hourlyOf(cell: Cell, at: PointAt, to_ms: number): readonly Series[] {
  const frame = frameFrom(cell, at, to_ms, HOUR_MS, HOURS_OF);
  if (frame === null) return [];
  const counts = new Map<string, readonly number[]>();
  const unitsOf = (metric: string): readonly number[] => {
    const column = POINT_COLUMNS.length + HOURLY_UNITS.indexOf(metric);
    const known = counts.get(metric) ?? columnOf(frame, at, column).map((units) => units ?? 0);
    counts.set(metric, known);
    return known;
  };
  const rates = RATES.flatMap(([metric, of]) => {
    const events = unitsOf(metric);
    const happened = events.some((count) => count > 0);
    if (!happened && metric !== 'error' && metric !== 'abort') return [];
    const units = unitsOf(of);
    const values = units.map((count, index) => (count ? (events[index] as number) / count : null));
    return [seriesOf(frame, metric, values, units)];
  });
  return [...measuredOf(frame, at), ...rates];
}

function steplyOf(cell: Cell, at: PointAt, to_ms: number): readonly Series[] {
  const frame = frameFrom(cell, at, to_ms, STEP_MS, STEPS_OF);
  return frame === null ? [] : measuredOf(frame, at);
}

/** From the first span with anything in it to the last whole one; null where there is none. */
function frameFrom(
  cell: Cell,
  at: PointAt,
  to_ms: number,
  step_ms: number,
  most: number,
): Frame | null {
  for (let back = most; back > 0; back -= 1) {
    const from_ms = to_ms - back * step_ms;
    if (!Number.isNaN(at(from_ms, 0))) return { cell, from_ms, step_ms, length: back };
  }
  return null;
}

function columnOf({ from_ms, step_ms, length }: Frame, at: PointAt, column: number): Values {
  return Array.from({ length }, (_, index) => {
    const value = at(from_ms + index * step_ms, column);
    return Number.isNaN(value) ? null : value;
  });
}

interface Frame {
  readonly cell: Cell;
  readonly from_ms: number;
  readonly step_ms: number;
  readonly length: number;
}

function measuredOf(frame: Frame, at: PointAt): readonly Series[] {
  const counts = columnOf(frame, at, 0).map((calls) => calls ?? 0);
  const measured = MEASURED.flatMap((name, index) => {
    const values = columnOf(frame, at, index + 1);
    return values.every((value) => value === null) ? [] : [seriesOf(frame, name, values, counts)];
  });
  return [seriesOf(frame, 'calls', counts, counts), ...measured];
}

function seriesOf(
  { cell, from_ms, step_ms }: Frame,
  metric: Series['metric'],
  values: Values,
  counts: readonly number[],
): Series {
  return { segment: segmentOf(cell), metric, from_ms, step_ms, values, counts };
}
