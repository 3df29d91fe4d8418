import type { Segment, SegmentObservation, UnitCount, UnitMetric } from '../core/observation.ts';
import { OTHER_TENANTS, QUANTITIES, TENANTS_MAX } from '../core/observation.ts';
import { addValue, emptyValues, NO_BIN, quantitiesOf } from './bins.ts';
import type { Fact, Verdict } from './facts.ts';

const DAY_MS = 86_400_000;

interface Unit {
  readonly half: 0 | 1;
  readonly tenant: string;
  calls: number;
  barred: number;
  rated: number;
  dissatisfied: number;
  readonly counts: Map<UnitMetric, number>;
  readonly ratings: number[];
}

/**
 * What is known of a segment in a span of time that moves on: what enters is added, what leaves is
 * taken out, so that a look costs the same however long the span.
 */
export interface Tally {
  add(fact: Fact, sign: 1 | -1): void;
  /** `half` leaves the other half's units out. */
  observe(segment: Segment, evidence: readonly string[], half?: 0 | 1): SegmentObservation;
  readonly empty: boolean;
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
  const units = new Map<string, Unit>();
  const halves = [0, 1].map(() => QUANTITIES.map(emptyValues));
  const calls = [0, 0];
  const users = [new Map<string, number>(), new Map<string, number>()];
  const errors = [new Map<string, number>(), new Map<string, number>()];

  return {
    get empty() {
      return units.size === 0;
    },
    add(fact, sign) {
      const { half } = fact;
      const day = by_day ? `${Math.floor(fact.at_ms / DAY_MS)}\0` : '';
      addToUnit(units, `${day}${fact.unit}`, fact, sign);
      if (!fact.is_call) return;
      calls[half] = (calls[half] ?? 0) + sign;
      bump(users[half], `${day}${fact.user ?? fact.unit}`, sign);
      if (fact.error_class !== null) bump(errors[half], fact.error_class, sign);
      const sketches = halves[half] ?? [];
      for (const [index, values] of sketches.entries())
        addValue(values, fact.values[index] ?? null, fact.bins[index] ?? NO_BIN, sign);
    },
    observe(segment, evidence, half) {
      const wanted: readonly number[] = half === undefined ? [0, 1] : [half];
      const own = [...units.values()].filter((unit) => half === undefined || unit.half === half);
      const counted = wanted.reduce((sum, each) => sum + (calls[each] ?? 0), 0);
      const distinct = wanted.reduce((sum, each) => sum + (users[each]?.size ?? 0), 0);
      return {
        segment,
        calls: counted,
        users: Math.min(distinct, counted),
        rates: ratesOf(own),
        quantities: quantitiesOf(wanted.map((each) => halves[each] ?? [])),
        ...ratingsOf(own),
        by_tenant: tenantsOf(own),
        errors_by_class: sumOf(wanted.map((each) => errors[each])),
        evidence,
      };
    },
  };
}

function bump(counts: Map<string, number> | undefined, key: string, sign: 1 | -1): void {
  const next = (counts?.get(key) ?? 0) + sign;
  if (next === 0) counts?.delete(key);
  else counts?.set(key, next);
}

function addToUnit(units: Map<string, Unit>, key: string, fact: Fact, sign: 1 | -1): void {
  let unit = units.get(key);
  if (!unit) {
    const { half, tenant } = fact;
    unit = {
      half,
      tenant,
      calls: 0,
      barred: 0,
      rated: 0,
      dissatisfied: 0,
      counts: new Map(),
      ratings: [],
    };
    units.set(key, unit);
  }
  if (fact.is_call) unit.calls += sign;
  if (fact.barred) unit.barred += sign;
  for (const metric of fact.metrics) {
    unit.counts.set(metric, (unit.counts.get(metric) ?? 0) + sign);
  }
  for (const verdict of fact.verdicts) addVerdict(unit, verdict, sign);
  if (unit.calls === 0 && unit.rated === 0) units.delete(key);
}

function addVerdict(
  unit: Unit,
  { signal, value, rated, dissatisfied }: Verdict,
  sign: 1 | -1,
): void {
  const count = (metric: UnitMetric): void => {
    unit.counts.set(metric, (unit.counts.get(metric) ?? 0) + sign);
  };
  if (rated) unit.rated += sign;
  if (dissatisfied) unit.dissatisfied += sign;
  if (signal === 'complaint' && value > 0) count('complaint');
  if (signal === 'accepted' && value > 0) count('accepted');
  if (signal !== 'rating') return;
  if (sign > 0) unit.ratings.push(value);
  else unit.ratings.splice(unit.ratings.indexOf(value), 1);
}

function ratesOf(units: readonly Unit[]): SegmentObservation['rates'] {
  const events = new Map<UnitMetric, number>();
  let [callers, barred, raters, angry] = [0, 0, 0, 0];
  for (const unit of units) {
    if (unit.calls > 0) callers += 1;
    if (unit.barred > 0) barred += 1;
    if (unit.rated > 0) raters += 1;
    if (unit.dissatisfied > 0) angry += 1;
    for (const [metric, times] of unit.counts) {
      if (times > 0) events.set(metric, (events.get(metric) ?? 0) + 1);
    }
  }
  const rates: Partial<Record<UnitMetric, UnitCount>> = {};
  for (const metric of OF_CALLS)
    rates[metric] = { units: callers, events: events.get(metric) ?? 0 };
  if (barred > 0) rates.slow = { units: barred, events: events.get('slow') ?? 0 };
  rates.complaint = { units: raters, events: events.get('complaint') ?? 0 };
  rates.dissatisfied = { units: raters, events: angry };
  return rates;
}

function ratingsOf(units: readonly Unit[]): Pick<SegmentObservation, 'ratings' | 'rating_by_unit'> {
  const medians: number[] = [];
  let ratings = 0;
  for (const { ratings: own } of units) {
    if (own.length === 0) continue;
    ratings += own.length;
    medians.push(medianOf(own));
  }
  const sum = medians.reduce((total, median) => total + median, 0);
  return { ratings, rating_by_unit: medians.length === 0 ? null : sum / medians.length };
}

function medianOf(values: readonly number[]): number {
  const [only] = values;
  if (only !== undefined && values.length === 1) return only;
  const sorted = [...values].sort((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}

function tenantsOf(units: readonly Unit[]): SegmentObservation['by_tenant'] {
  const tenants = new Map<string, { units: number; events: number }>();
  for (const unit of units) {
    if (unit.rated <= 0) continue;
    const own = tenants.get(unit.tenant) ?? { units: 0, events: 0 };
    own.units += 1;
    if (unit.dissatisfied > 0) own.events += 1;
    tenants.set(unit.tenant, own);
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
