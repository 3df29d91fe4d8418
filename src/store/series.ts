import type { SegmentObservation, Series, UnitMetric } from '../core/observation.ts';
import { QUANTITIES, SIGNAL_METRICS } from '../core/observation.ts';
import { countOf, createTally, mergeTally, type Tally, tallyQuantile } from '../core/sketch.ts';
import { type Cell, cellKey, DAY_MS, floorTo, HOUR_MS, MINUTE_MS, segmentOf } from './cells.ts';
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

/** An hour without how long ago units came before: a fortnight of hours is kept in memory. */
interface HourPoint extends StepPoint {
  /** Distinct units by metric. */
  readonly units: Readonly<Record<string, number>>;
}

/**
 * Hourly series over 14 days, and of agents and targets also in steps of five minutes over a day:
 * whole spans only, since a running one looks like a fall. What was read is kept, and read again
 * where it was written to.
 */
export function createSeriesReader(db: Db) {
  let chosen = new Map<string, Cell>();
  let chosen_at_ms = 0;
  const hours = createPoints<HourPoint>();
  const steps = createPoints<StepPoint>();
  const hourlyLatest = createLatest<readonly Series[]>();
  const stepsLatest = createLatest<readonly Series[]>();

  return {
    async read(
      now_ms: number,
      segments: readonly SegmentObservation[],
    ): Promise<readonly Series[]> {
      const hour_ms = floorTo(now_ms, HOUR_MS);
      const largest = largestOf(segments);
      const grew = largest.size > chosen.size;
      if (hour_ms !== chosen_at_ms || grew) {
        const same = [...largest.keys()].sort().join() === [...chosen.keys()].sort().join();
        if (!same) hours.forget();
        chosen = largest;
        chosen_at_ms = hour_ms;
      }
      const cells = [...chosen.values()];
      const from_ms = hour_ms - HOURS_OF * HOUR_MS;
      const window = { from_ms, to_ms: hour_ms };
      const hoursState = await readState(db, HOUR_MS, window);
      const keys = [...chosen.keys()].join();
      const hoursKey = `${hour_ms} ${hoursState} ${keys}`;
      if (!hourlyLatest.has(hoursKey)) {
        const changes = await readChanges(db, HOUR_MS, window);
        for (const ats of chunks(hours.stale(changes), HOURS_AT_ONCE)) {
          hours.keep(ats, changes, (await readPoints(db, ats, cells)).map(inShort));
        }
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

function inShort({ units: given, ...point }: Point): HourPoint {
  const units: Record<string, number> = {};
  for (const metric in given) {
    if (!SHOWN.has(metric)) continue;
    const [first = 0, second = 0] = given[metric] ?? [];
    if (first + second > 0) units[metric] = first + second;
  }
  return { ...point, units };
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

/** Points by span and cell, each span with the change in which it was read. */
function createPoints<P extends Cell & { readonly at_ms: number }>() {
  const spans = new Map<number, { readonly change: number; readonly points: Map<string, P> }>();
  return {
    forget: () => spans.clear(),
    /** The spans that have to be read; those that are no longer asked for are let go. */
    stale(changes: ReadonlyMap<number, number>): readonly number[] {
      for (const at_ms of spans.keys()) if (!changes.has(at_ms)) spans.delete(at_ms);
      return [...changes].flatMap(([at_ms, change]) =>
        spans.get(at_ms)?.change === change ? [] : [at_ms],
      );
    },
    keep(ats: readonly number[], changes: ReadonlyMap<number, number>, points: readonly P[]): void {
      for (const at_ms of ats)
        spans.set(at_ms, { change: changes.get(at_ms) ?? 0, points: new Map() });
      for (const point of points) spans.get(point.at_ms)?.points.set(cellKey(point), point);
    },
    of: (key: string) => (at_ms: number) => spans.get(at_ms)?.points.get(key) ?? null,
  };
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const parts = Math.ceil(items.length / size);
  return Array.from({ length: parts }, (_, at) => items.slice(at * size, (at + 1) * size));
}

async function readSteps(
  db: Db,
  steps: ReturnType<typeof createPoints<StepPoint>>,
  to_ms: number,
): Promise<void> {
  const minutes = await readChanges(db, MINUTE_MS, { from_ms: to_ms - DAY_MS, to_ms });
  const changes = new Map<number, number>();
  for (const [at_ms, change] of minutes) {
    const step_ms = floorTo(at_ms, STEP_MS);
    changes.set(step_ms, Math.max(changes.get(step_ms) ?? 0, change));
  }
  for (const ats of chunks(steps.stale(changes), STEPS_AT_ONCE)) {
    const each = ats.flatMap((at_ms) => [0, 1, 2, 3, 4].map((by) => at_ms + by * MINUTE_MS));
    steps.keep(ats, changes, stepPoints(await readMinutes(db, each)));
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
  ...SIGNAL_METRICS.map((name) => [name, name === 'complaint' ? 'rated' : 'calls'] as const),
];

const SHOWN: ReadonlySet<string> = new Set(RATES.flat());

function hourlyOf(
  cell: Cell,
  at: (at_ms: number) => HourPoint | null,
  to_ms: number,
): readonly Series[] {
  const points = pointsFrom(at, to_ms, HOUR_MS, HOURS_OF);
  const frame = { cell, from_ms: to_ms - points.length * HOUR_MS, step_ms: HOUR_MS };
  const units = (point: HourPoint | null, metric: string): number => point?.units[metric] ?? 0;
  const rates = RATES.flatMap(([metric, of]) => {
    const happened = points.some((point) => units(point, metric) > 0);
    if (!happened && metric !== 'error' && metric !== 'abort') return [];
    const counts = points.map((point) => units(point, of));
    const values = points.map((point, index) =>
      counts[index] ? units(point, metric) / counts[index] : null,
    );
    return [seriesOf(frame, metric, values, counts)];
  });
  return [...measuredOf(frame, points), ...rates];
}

function steplyOf(
  cell: Cell,
  at: (at_ms: number) => StepPoint | null,
  to_ms: number,
): readonly Series[] {
  const points = pointsFrom(at, to_ms, STEP_MS, STEPS_OF);
  return measuredOf({ cell, from_ms: to_ms - points.length * STEP_MS, step_ms: STEP_MS }, points);
}

/** From the first span with anything in it to the last whole one. */
function pointsFrom<P>(
  at: (at_ms: number) => P | null,
  to_ms: number,
  step_ms: number,
  most: number,
): readonly (P | null)[] {
  const all = Array.from({ length: most }, (_, index) => at(to_ms - (most - index) * step_ms));
  const first = all.findIndex((point) => point !== null);
  return first < 0 ? [] : all.slice(first);
}

interface Frame {
  readonly cell: Cell;
  readonly from_ms: number;
  readonly step_ms: number;
}

function measuredOf(frame: Frame, points: readonly (StepPoint | null)[]): readonly Series[] {
  if (points.length === 0) return [];
  const counts = points.map((point) => point?.calls ?? 0);
  const measured = MEASURED.flatMap((name) => {
    const values = points.map((point) => point?.[name] ?? null);
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
