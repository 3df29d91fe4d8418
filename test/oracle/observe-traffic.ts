import type {
  Observation,
  Quantity,
  Segment,
  SegmentObservation,
  Series,
  UnitMetric,
} from '../../src/core/observation.ts';
import { addToTally, binOf, createTally, sketchOf, type Tally } from '../../src/core/sketch.ts';
import { POLICY } from './kit.ts';
import { type CallRecord, DAY_MS, HOUR_MS } from './traffic.ts';

/** What collect would say of simulated calls, from the same definitions and without a database. */

export const AGENT = 'duo';
const WINDOW_MS = DAY_MS;

interface Tallied {
  readonly segment: Segment;
  calls: number;
  readonly users: Set<number>;
  /** Units, or unit-days, to a bit mask of what happened. */
  readonly units: Map<number, number>;
  readonly sketches: Record<'latency_ms' | 'cost_usd', Tally>;
  ratings: number;
  readonly medians: Map<number, number[]>;
  readonly tenants: Map<string, Map<number, number>>;
  errors: number;
}
const [ERROR, RATED, DISSATISFIED] = [1, 2, 4];

type Tallies = Map<string, Tallied>;

/** The observation at `at_ms`: a window of a day up to it, seven whole days before, hours. */
export function observationAt(
  calls: readonly CallRecord[],
  at_ms: number,
  change: Partial<Observation> = {},
): Observation {
  const from_ms = Math.floor((at_ms - WINDOW_MS) / HOUR_MS) * HOUR_MS;
  const past_to = Math.floor(from_ms / DAY_MS) * DAY_MS;
  const past_from = past_to - 7 * DAY_MS;
  const now: Tallies = new Map();
  const past: Tallies = new Map();
  const left: Tallies = new Map();
  const right: Tallies = new Map();
  const hours = new Map<string, HourSeries>();
  const spans = { from_ms, past_to, past_from };
  for (const call of calls) {
    if (call.at_ms >= at_ms) break;
    if (call.at_ms >= past_from) tallyCall(call, spans, { now, past, left, right, hours });
  }
  return {
    at_ms,
    window: { from_ms, to_ms: at_ms },
    version: 'v',
    segments: cellsOf(now),
    past: cellsOf(past),
    halves: [cellsOf(left), cellsOf(right)],
    series: [...hours.values()].flatMap((one) => seriesOf(one, past_from, at_ms)),
    loads: [],
    frozen: [],
    thresholds: POLICY.oracle.thresholds,
    ...change,
  };
}

interface Held {
  readonly now: Tallies;
  readonly past: Tallies;
  readonly left: Tallies;
  readonly right: Tallies;
  readonly hours: Map<string, HourSeries>;
}

function tallyCall(
  call: CallRecord,
  spans: { readonly from_ms: number; readonly past_to: number; readonly past_from: number },
  { now, past, left, right, hours }: Held,
): void {
  for (const segment of segmentsOf(call)) {
    if (call.at_ms >= spans.from_ms) {
      tally(now, segment, call, call.unit);
      tally(hashed(call.unit) ? left : right, segment, call, call.unit);
    }
    if (call.at_ms < spans.past_to) {
      const day = Math.floor(call.at_ms / DAY_MS);
      tally(past, segment, call, call.unit + day * 1e8);
    }
    const known = segment.tenant === undefined && segment.category === undefined;
    if (known) tallyHour(hours, segment, call, spans.past_from);
  }
}

function segmentsOf({ target, tenant, category }: CallRecord): readonly Segment[] {
  return [
    { agent: AGENT, target: null },
    { agent: AGENT, target },
    { agent: AGENT, target: null, tenant },
    { agent: AGENT, target: null, category },
    { agent: AGENT, target, category },
  ];
}

const nameOf = ({ target, tenant, category }: Segment): string =>
  `${target ?? ''}|${tenant ?? ''}|${category ?? ''}`;

/** Half of all units, whatever their number. */
function hashed(unit: number): boolean {
  return (Math.imul(unit ^ (unit >>> 7), 0x9e3779b1) & 0x10000) === 0;
}

function flagsOf({ error, rating }: CallRecord): number {
  const verdict = rating === null ? 0 : rating <= 2 ? RATED | DISSATISFIED : RATED;
  return (error ? ERROR : 0) | verdict;
}

function tally(into: Tallies, segment: Segment, call: CallRecord, unit: number): void {
  const name = nameOf(segment);
  let cell = into.get(name);
  if (!cell) {
    const sketches = { latency_ms: createTally(), cost_usd: createTally() };
    cell = {
      segment,
      calls: 0,
      users: new Set(),
      units: new Map(),
      sketches,
      ratings: 0,
      medians: new Map(),
      tenants: new Map(),
      errors: 0,
    };
    into.set(name, cell);
  }
  cell.calls += 1;
  cell.users.add(call.unit);
  cell.units.set(unit, (cell.units.get(unit) ?? 0) | flagsOf(call));
  if (call.error) cell.errors += 1;
  else {
    addToTally(cell.sketches.latency_ms, call.latency_ms, binOf(call.latency_ms));
    addToTally(cell.sketches.cost_usd, call.cost_usd, binOf(call.cost_usd));
  }
  if (call.rating === null) return;
  cell.ratings += 1;
  cell.medians.set(unit, [...(cell.medians.get(unit) ?? []).slice(-20), call.rating]);
  const raters = cell.tenants.get(call.tenant) ?? new Map<number, number>();
  raters.set(unit, (raters.get(unit) ?? 0) | flagsOf(call));
  cell.tenants.set(call.tenant, raters);
}

function countIn(units: Iterable<number>, base: number, event: number) {
  let [all, events] = [0, 0];
  for (const flags of units) {
    if (base !== 0 && (flags & base) === 0) continue;
    all += 1;
    if ((flags & event) !== 0) events += 1;
  }
  return { units: all, events };
}

function cellsOf(tallies: Tallies): readonly SegmentObservation[] {
  return [...tallies.values()].map((cell): SegmentObservation => {
    const { segment, calls, users, units, sketches, ratings, medians, tenants } = cell;
    const quantities: Partial<Record<Quantity, NonNullable<ReturnType<typeof sketchOf>>>> = {};
    for (const quantity of ['latency_ms', 'cost_usd'] as const) {
      const sketch = sketchOf(sketches[quantity]);
      if (sketch) quantities[quantity] = sketch;
    }
    const middle = [...medians.values()].map(
      (given) => given.toSorted((left, right) => left - right)[given.length >> 1] ?? 0,
    );
    return {
      segment,
      calls,
      users: users.size,
      rates: {
        error: countIn(units.values(), 0, ERROR),
        abort: { units: units.size, events: 0 },
        dissatisfied: countIn(units.values(), RATED, DISSATISFIED),
      },
      quantities,
      ratings,
      rating_by_unit:
        middle.length > 0 ? middle.reduce((sum, one) => sum + one, 0) / middle.length : null,
      by_tenant: [...tenants]
        .map(([tenant, raters]) => ({ tenant, ...countIn(raters.values(), RATED, DISSATISFIED) }))
        .sort((left, right) => right.units - left.units)
        .slice(0, 16),
      errors_by_class: cell.errors > 0 ? { upstream_error: cell.errors } : {},
      evidence: [],
    };
  });
}

interface HourSeries {
  readonly segment: Segment;
  readonly units: Map<number, Map<number, number>>;
  readonly latencies: Map<number, number[]>;
}

function tallyHour(
  hours: Map<string, HourSeries>,
  segment: Segment,
  call: CallRecord,
  from_ms: number,
): void {
  const name = nameOf(segment);
  const hour = Math.floor((call.at_ms - from_ms) / HOUR_MS);
  const held = hours.get(name) ?? { segment, units: new Map(), latencies: new Map() };
  hours.set(name, held);
  const units = held.units.get(hour) ?? new Map<number, number>();
  units.set(call.unit, (units.get(call.unit) ?? 0) | flagsOf(call));
  held.units.set(hour, units);
  const latencies = held.latencies.get(hour) ?? [];
  if (!call.error) latencies.push(call.latency_ms);
  held.latencies.set(hour, latencies);
}

function seriesOf({ segment, units, latencies }: HourSeries, from_ms: number, to_ms: number) {
  const steps = Math.ceil((to_ms - from_ms) / HOUR_MS);
  const each = <Value>(value: (hour: number) => Value): Value[] =>
    Array.from({ length: steps }, (_, hour) => value(hour));
  const rate = (metric: UnitMetric, base: number, event: number): Series => {
    const counts = each((hour) => countIn(units.get(hour)?.values() ?? [], base, event));
    return {
      segment,
      metric,
      from_ms,
      step_ms: HOUR_MS,
      values: counts.map((one) => (one.units > 0 ? one.events / one.units : null)),
      counts: counts.map((one) => one.units),
    };
  };
  const sorted = each((hour) => (latencies.get(hour) ?? []).toSorted((one, two) => one - two));
  const latency: Series = {
    segment,
    metric: 'latency_p50_ms',
    from_ms,
    step_ms: HOUR_MS,
    values: sorted.map((values) => values[values.length >> 1] ?? null),
    counts: sorted.map((values) => values.length),
  };
  const calls: Series = {
    ...latency,
    metric: 'calls',
    values: sorted.map((values) => values.length),
    counts: sorted.map((values) => values.length),
  };
  return [
    rate('error', 0, ERROR),
    rate('dissatisfied', RATED, DISSATISFIED),
    latency,
    calls,
  ] satisfies Series[];
}
