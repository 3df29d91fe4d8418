import type { Segment, SegmentObservation, UnitCount, UnitMetric } from '../core/observation.ts';
import { OTHER_TENANTS, QUANTITIES, TENANTS_MAX } from '../core/observation.ts';
import { addValue, emptyValues, NO_BIN, quantitiesOf, type Values } from './bins.ts';
import type { Fact, Verdict } from './facts.ts';

interface Unit {
  readonly half: 0 | 1;
  readonly tenant: string;
  calls: number;
  barred: number;
  rated: number;
  dissatisfied: number;
  /** Null until it shows one: most never do. */
  counts: Map<UnitMetric, number> | null;
  ratings: number[] | null;
  /** Of `ratings`; null where there are none. */
  median: number | null;
}

/** What the units of one half come to, each counted once, kept up as they change. */
interface Totals {
  callers: number;
  barred: number;
  raters: number;
  angry: number;
  readonly events: Map<UnitMetric, number>;
  ratings: number;
  /** Units with a rating, and the sum of their medians. */
  judges: number;
  medians: number;
  readonly tenants: Map<string, { units: number; events: number }>;
}

function emptyTotals(): Totals {
  const sums = { callers: 0, barred: 0, raters: 0, angry: 0, ratings: 0, judges: 0, medians: 0 };
  return { ...sums, events: new Map(), tenants: new Map() };
}

/**
 * What is known of a segment in a span of time that moves on: what enters is added, what leaves is
 * taken out, so that a look costs the same however long the span, and however many units it has.
 */
export interface Tally {
  add(fact: Fact, sign: 1 | -1): void;
  /** `half` leaves the other half's units out. */
  observe(segment: Segment, evidence: readonly string[], half?: 0 | 1): SegmentObservation;
  readonly empty: boolean;
  /** Another that begins as this one is. */
  copy(): Tally;
}

/** What is in a tally, as plain data: a copy is a structured clone. */
interface State {
  readonly units: Map<string, Unit>;
  /** By halves of the units, as all below. */
  readonly totals: readonly [Totals, Totals];
  readonly halves: readonly (readonly Values[])[];
  readonly calls: number[];
  readonly users: readonly Map<string, number>[];
  readonly errors: readonly Map<string, number>[];
}

function emptyState(): State {
  return {
    units: new Map(),
    totals: [emptyTotals(), emptyTotals()],
    halves: [0, 1].map(() => QUANTITIES.map(emptyValues)),
    calls: [0, 0],
    users: [new Map(), new Map()],
    errors: [new Map(), new Map()],
  };
}

/** Metrics that a unit can show by calling at all; the rest need a verdict. */
const OF_CALLS: readonly UnitMetric[] = [
  'error',
  'abort',
  'retry',
  'regeneration',
  'reask',
  'correction',
  'tool_failure',
  'schema_violation',
  'refusal',
  'language_mismatch',
  'length_outlier',
  'wrong_answer',
  'needs_clarification',
  'wants_different',
  'satisfied',
  'accepted',
];

/** With `by_day` a unit of another day is another unit. */
export function createTally(by_day = false): Tally {
  return tallyOf(by_day, emptyState());
}

function tallyOf(by_day: boolean, state: State): Tally {
  const { units, totals, halves, calls, users, errors } = state;
  /** What was observed since anything changed: the past changes once a day. */
  const seen = new Map<number | undefined, Omit<SegmentObservation, 'segment' | 'evidence'>>();
  let changes = 0;

  const observed = (half?: 0 | 1): Omit<SegmentObservation, 'segment' | 'evidence'> => {
    const wanted: readonly (0 | 1)[] = half === undefined ? [0, 1] : [half];
    const own = wanted.map((each) => totals[each]);
    const counted = wanted.reduce<number>((sum, each) => sum + (calls[each] ?? 0), 0);
    const distinct = wanted.reduce<number>((sum, each) => sum + (users[each]?.size ?? 0), 0);
    const at = changes;
    const parts = wanted.map((each) => halves[each] ?? []);
    return {
      calls: counted,
      users: Math.min(distinct, counted),
      rates: ratesOf(own),
      quantities: quantitiesOf(parts, () => changes === at),
      ...ratingsOf(own),
      by_tenant: tenantsOf(own),
      errors_by_class: sumOf(wanted.map((each) => errors[each])),
    };
  };

  return {
    get empty() {
      return units.size === 0;
    },
    add(fact, sign) {
      const { half } = fact;
      changes += 1;
      if (seen.size > 0) seen.clear();
      addToUnit(units, totals[half], by_day ? fact.unit_day : fact.unit, fact, sign);
      if (!fact.is_call) return;
      calls[half] = (calls[half] ?? 0) + sign;
      bump(users[half], by_day ? fact.user_day : (fact.user ?? fact.unit), sign);
      if (fact.error_class !== null) bump(errors[half], fact.error_class, sign);
      const sketches = halves[half] ?? [];
      for (let index = 0; index < sketches.length; index += 1) {
        const values = sketches[index];
        const bin = fact.bins[index] ?? NO_BIN;
        if (values) addValue(values, fact.values[index] ?? null, bin, sign);
      }
    },
    copy: () => tallyOf(by_day, structuredClone(state)),
    observe(segment, evidence, half) {
      const known = seen.get(half) ?? observed(half);
      seen.set(half, known);
      return { segment, ...known, evidence };
    },
  };
}

function bump<Key>(counts: Map<Key, number> | undefined, key: Key, sign: 1 | -1): void {
  const next = (counts?.get(key) ?? 0) + sign;
  if (next === 0) counts?.delete(key);
  else counts?.set(key, next);
}

function addToUnit(
  units: Map<string, Unit>,
  totals: Totals,
  key: string,
  fact: Fact,
  sign: 1 | -1,
): void {
  let unit = units.get(key);
  if (unit) count(totals, unit, -1);
  else {
    const { half, tenant } = fact;
    const none = { calls: 0, barred: 0, rated: 0, dissatisfied: 0 };
    unit = { half, tenant, ...none, counts: null, ratings: null, median: null };
    units.set(key, unit);
  }
  if (fact.is_call) unit.calls += sign;
  if (fact.barred) unit.barred += sign;
  for (const metric of fact.metrics) countIn(unit, metric, sign);
  for (const verdict of fact.verdicts) addVerdict(unit, verdict, sign);
  if (fact.verdicts.length > 0) unit.median = medianOf(unit.ratings ?? []);
  if (unit.calls === 0 && unit.rated === 0) units.delete(key);
  else count(totals, unit, 1);
}

/** Adds what a unit is to the totals, or takes it out. */
function count(totals: Totals, unit: Unit, sign: 1 | -1): void {
  if (unit.calls > 0) totals.callers += sign;
  if (unit.barred > 0) totals.barred += sign;
  if (unit.counts) {
    for (const [metric, times] of unit.counts) if (times > 0) bump(totals.events, metric, sign);
  }
  if (unit.median !== null) {
    totals.ratings += sign * (unit.ratings?.length ?? 0);
    totals.judges += sign;
    totals.medians += sign * unit.median;
  }
  if (unit.rated <= 0) return;
  const angry = unit.dissatisfied > 0 ? sign : 0;
  totals.raters += sign;
  totals.angry += angry;
  const tenant = totals.tenants.get(unit.tenant) ?? { units: 0, events: 0 };
  tenant.units += sign;
  tenant.events += angry;
  if (tenant.units === 0) totals.tenants.delete(unit.tenant);
  else totals.tenants.set(unit.tenant, tenant);
}

function addVerdict(
  unit: Unit,
  { signal, value, rated, dissatisfied }: Verdict,
  sign: 1 | -1,
): void {
  if (rated) unit.rated += sign;
  if (dissatisfied) unit.dissatisfied += sign;
  if (signal === 'complaint' && value > 0) countIn(unit, 'complaint', sign);
  if (signal === 'accepted' && value > 0) countIn(unit, 'accepted', sign);
  if (signal !== 'rating') return;
  unit.ratings ??= [];
  if (sign > 0) unit.ratings.push(value);
  else unit.ratings.splice(unit.ratings.indexOf(value), 1);
}

function countIn(unit: Unit, metric: UnitMetric, sign: 1 | -1): void {
  unit.counts ??= new Map();
  unit.counts.set(metric, (unit.counts.get(metric) ?? 0) + sign);
}

function ratesOf(parts: readonly Totals[]): SegmentObservation['rates'] {
  let [callers, barred, raters, angry] = [0, 0, 0, 0];
  for (const part of parts) {
    callers += part.callers;
    barred += part.barred;
    raters += part.raters;
    angry += part.angry;
  }
  const countOf = (units: number, metric: UnitMetric): UnitCount => {
    let events = 0;
    for (const part of parts) events += part.events.get(metric) ?? 0;
    return { units, events };
  };
  const rates: Partial<Record<UnitMetric, UnitCount>> = {};
  for (const metric of OF_CALLS) rates[metric] = countOf(callers, metric);
  if (barred > 0) rates.slow = countOf(barred, 'slow');
  rates.complaint = countOf(raters, 'complaint');
  rates.dissatisfied = { units: raters, events: angry };
  return rates;
}

function ratingsOf(
  parts: readonly Totals[],
): Pick<SegmentObservation, 'ratings' | 'rating_by_unit'> {
  let [ratings, judges, medians] = [0, 0, 0];
  for (const part of parts) {
    ratings += part.ratings;
    judges += part.judges;
    medians += part.medians;
  }
  return { ratings, rating_by_unit: judges === 0 ? null : medians / judges };
}

function medianOf(values: readonly number[]): number | null {
  const [only] = values;
  if (only === undefined || values.length === 1) return only ?? null;
  const sorted = [...values].sort((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}

function tenantsOf(parts: readonly Totals[]): SegmentObservation['by_tenant'] {
  const tenants = new Map<string, { units: number; events: number }>();
  for (const part of parts) {
    for (const [tenant, { units, events }] of part.tenants) {
      const own = tenants.get(tenant) ?? { units: 0, events: 0 };
      own.units += units;
      own.events += events;
      tenants.set(tenant, own);
    }
  }
  const all = [...tenants]
    .map(([tenant, counts]) => ({ tenant, ...counts }))
    .sort((left, right) => right.units - left.units || (left.tenant < right.tenant ? -1 : 1));
  if (all.length <= TENANTS_MAX) return all;
  const rest = all.slice(TENANTS_MAX - 1);
  const sum = (key: 'units' | 'events'): number => rest.reduce((total, one) => total + one[key], 0);
  const others = { tenant: OTHER_TENANTS, units: sum('units'), events: sum('events') };
  return [...all.slice(0, TENANTS_MAX - 1), others];
}

function sumOf(
  parts: readonly (ReadonlyMap<string, number> | undefined)[],
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const part of parts) {
    for (const [key, value] of part ?? []) sums[key] = (sums[key] ?? 0) + value;
  }
  return sums;
}
