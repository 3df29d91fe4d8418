import {
  basisOf,
  OTHER_TENANTS,
  QUANTITIES,
  type Quantity,
  type SegmentObservation,
  SIGNAL_METRICS,
  type Sketch,
  TENANTS_MAX,
  type UnitCount,
  type UnitMetric,
} from '../core/observation.ts';
import {
  copyOfTally,
  countOf,
  createTally,
  mergeTally,
  sketchOf,
  type Tally,
} from '../core/sketch.ts';
import { type Cell, cellKey, HOUR_MS, segmentOf } from './cells.ts';
import {
  addRow,
  addSum,
  addUnits,
  byNewest,
  copyOf,
  createSum,
  type RollupRow,
  type RollupSum,
} from './rollup-row.ts';
import { firstsIn, MEDIANS, RATERS, tenantMetric } from './unit-day.ts';

/** Rows of one kind of span added up by cell. */
export type Sums = Map<string, { readonly cell: Cell; readonly sum: RollupSum }>;

/** Units that could be slow, and were: of hours since the bar was fixed. */
const BARRED = 'barred';
const OVER_BAR = 'over-bar';

/** The window's beginning, and from when the agent's bar for `slow` stands, or null. */
export function addRowTo(sums: Sums, row: RollupRow, from_ms: number, bar_ms: number | null): void {
  const sum = sumFor(sums, row);
  addRow(sum, { ...row, units: null });
  const add = (metric: string, name: string, begin_ms: number): void => {
    const counts = row.units?.[metric];
    if (!counts) return;
    for (const half of [0, 1] as const) {
      const hours = (row.at_ms - begin_ms) / HOUR_MS;
      const by = row.span_ms === HOUR_MS ? firstsIn(counts, hours, half) : (counts[half] ?? 0);
      addUnits(sum, name, half, by);
    }
  };
  for (const metric in row.units) add(metric, metric, from_ms);
  if (bar_ms === null || row.at_ms < bar_ms) return;
  const begin_ms = Math.max(bar_ms, from_ms);
  add('calls', BARRED, begin_ms);
  add('slow', OVER_BAR, begin_ms);
}

/** Adds copies, so that the sums of closed hours can be added to each tick's own. */
export function addSumsTo(sums: Sums, closed: Sums): void {
  for (const { cell, sum } of closed.values()) {
    const tallies = sum.tallies === null ? null : copyOf(sum.tallies);
    addSum(sumFor(sums, cell), { ...sum, tallies });
  }
}

function sumFor(sums: Sums, { agent, target, tenant, category }: Cell): RollupSum {
  const cell = { agent, target, tenant, category };
  const key = cellKey(cell);
  let known = sums.get(key);
  if (!known) {
    known = { cell, sum: createSum() };
    sums.set(key, known);
  }
  return known.sum;
}

/** How units are counted in a window: by their first hour in it, or once a day. */
export type CountedBy = 'hour' | 'day';

/** One half of the units, or both. */
export type Half = 0 | 1 | null;

export interface Shown {
  readonly half: Half;
  /** Metrics that the agent's units have shown at all. */
  readonly metrics: ReadonlySet<string>;
  readonly evidence_max: number;
}

/** Of which metrics the agents' sums know anything. */
export function metricsIn(all: readonly Sums[]): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const sums of all) {
    for (const { cell, sum } of sums.values()) {
      const known = metrics.get(cell.agent) ?? new Set();
      for (const metric of sum.units.keys()) known.add(metric);
      metrics.set(cell.agent, known);
    }
  }
  return metrics;
}

/** What the whole and both halves are told from, made once for all three. */
interface Told {
  readonly sum: RollupSum;
  /** Newest first. */
  readonly evidence: readonly (readonly [at_ms: number, id: string, half: 0 | 1])[];
}

/** Tells the segments of sums that no longer change; `show` says of which half, and how much. */
export function createTelling(sums: Sums) {
  const told = new Map<RollupSum, Told>();
  return (show: (agent: string) => Shown): readonly SegmentObservation[] =>
    segmentsOf(sums, show, (sum) => {
      const known = told.get(sum) ?? toldOf(sum);
      told.set(sum, known);
      return known;
    });
}

function toldOf(sum: RollupSum): Told {
  const kept: Told['evidence'][number][] = [];
  for (const [id, known] of sum.evidence) {
    if (known !== null) kept.push([known[0], id, known[1]]);
  }
  return { sum, evidence: kept.sort(byNewest) };
}

function segmentsOf(
  sums: Sums,
  show: (agent: string) => Shown,
  tell: (sum: RollupSum) => Told,
): readonly SegmentObservation[] {
  return [...sums.values()]
    .map(({ cell, sum }) => segmentObservation(cell, sum, show(cell.agent), tell(sum)))
    .filter(
      ({ calls, ratings, rates }) =>
        calls > 0 || ratings > 0 || (rates.dissatisfied?.units ?? 0) > 0,
    )
    .sort(bySegment);
}

/** An agent first, then its targets and the rest, each by name. */
function bySegment(left: SegmentObservation, right: SegmentObservation): number {
  const key = ({ segment: { agent, target, tenant, category } }: SegmentObservation) =>
    [agent, tenant ?? '', category ?? '', target ?? ''].join('\t');
  return key(left) < key(right) ? -1 : 1;
}

function segmentObservation(
  cell: Cell,
  sum: RollupSum,
  shown: Shown,
  told: Told,
): SegmentObservation {
  const { half } = shown;
  const count = (name: string): number => bothOf(sum.counts.get(name), half);
  const units = (metric: string): number => bothOf(sum.units.get(metric), half);
  const raters = units(RATERS);
  return {
    segment: segmentOf(cell),
    calls: count('calls'),
    users: units('users'),
    rates: ratesOf(units, shown.metrics),
    quantities: quantitiesOf(told, half),
    ratings: count('rating'),
    rating_by_unit: raters > 0 ? units(MEDIANS) / raters : null,
    by_tenant: byTenant(cell, sum, units),
    errors_by_class: errorsOf(sum, count),
    evidence: evidenceOf(told, shown),
  };
}

function bothOf(counts: readonly number[] | undefined, half: Half): number {
  if (!counts) return 0;
  if (half !== null) return counts[half] ?? 0;
  return (counts[0] ?? 0) + (counts[1] ?? 0);
}

function ratesOf(
  units: (metric: string) => number,
  known: ReadonlySet<string>,
): Partial<Record<UnitMetric, UnitCount>> {
  const rates: Partial<Record<UnitMetric, UnitCount>> = {};
  const put = (metric: UnitMetric, of: string, happened: string = metric): void => {
    const among = units(of);
    if (among > 0) rates[metric] = { units: among, events: units(happened) };
  };
  put('error', 'calls');
  put('abort', 'calls');
  put('slow', BARRED, OVER_BAR);
  put('dissatisfied', 'rated');
  for (const metric of SIGNAL_METRICS) {
    const basis = basisOf(metric);
    if (basis !== 'calls' || known.has(metric)) put(metric, basis);
  }
  return rates;
}

/**
 * The sketches as data, each made when it is first looked at: most are never looked at, those of
 * halves least of all, and all of them are thousands of small arrays a cycle.
 */
function quantitiesOf({ sum }: Told, half: Half): Partial<Record<Quantity, Sketch>> {
  const quantities: Partial<Record<Quantity, Sketch>> = {};
  for (const [at, name] of QUANTITIES.entries()) {
    const tallies = measuredOf(sum, at, half);
    if (tallies.length === 0) continue;
    let sketch: Sketch | null = null;
    const get = (): Sketch | null => {
      sketch ??= sketchOf(sumOfTallies(tallies));
      return sketch;
    };
    Object.defineProperty(quantities, name, { get, enumerable: true });
  }
  return quantities;
}

function measuredOf({ tallies }: RollupSum, at: number, half: Half): readonly Tally[] {
  return (half === null ? ([0, 1] as const) : [half]).flatMap((of) => {
    const tally = tallies?.[of][at] ?? null;
    return tally === null || countOf(tally) === 0 ? [] : [tally];
  });
}

function sumOfTallies([first, second]: readonly Tally[]): Tally {
  if (!first || !second) return first ?? createTally();
  const both = copyOfTally(first);
  mergeTally(both, second);
  return both;
}

function byTenant(
  { tenant }: Cell,
  sum: RollupSum,
  units: (metric: string) => number,
): SegmentObservation['by_tenant'] {
  if (tenant !== '') {
    const rated = units('rated');
    return rated > 0 ? [{ tenant, units: rated, events: units('dissatisfied') }] : [];
  }
  const prefix = tenantMetric('rated', '');
  const tenants = [...sum.units.keys()]
    .filter((metric) => metric.startsWith(prefix))
    .map((metric) => metric.slice(prefix.length))
    .map((name) => ({
      tenant: name,
      units: units(tenantMetric('rated', name)),
      events: units(tenantMetric('dissatisfied', name)),
    }))
    .filter((one) => one.units > 0)
    .sort((left, right) => right.units - left.units || (left.tenant < right.tenant ? -1 : 1));
  if (tenants.length <= TENANTS_MAX) return tenants;
  const rest = tenants.slice(TENANTS_MAX);
  const total = (name: 'units' | 'events') => rest.reduce((all, one) => all + one[name], 0);
  const others = { tenant: OTHER_TENANTS, units: total('units'), events: total('events') };
  return [...tenants.slice(0, TENANTS_MAX), others];
}

const CLASS = 'class:';

function errorsOf(sum: RollupSum, count: (name: string) => number): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const name of sum.counts.keys()) {
    if (name.startsWith(CLASS) && count(name) > 0) errors[name.slice(CLASS.length)] = count(name);
  }
  return errors;
}

function evidenceOf({ evidence }: Told, { half, evidence_max }: Shown): readonly string[] {
  const ids: string[] = [];
  for (const [, id, of] of evidence) {
    if (ids.length >= evidence_max) break;
    if (half === null || of === half) ids.push(id);
  }
  return ids;
}
