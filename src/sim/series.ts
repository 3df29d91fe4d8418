import { QUANTITIES, type Segment, type Series } from '../core/observation.ts';
import { type Fact, LATENCY } from './facts.ts';

/** Values by the hour of each agent and each of its targets, fourteen days back. */
export interface SeriesKeeper {
  add(fact: Fact): void;
  /** Something was learned of a call that is in already. */
  changed(fact: Fact): void;
  /** No look is at an earlier time than the one before. */
  upTo(to_ms: number): readonly Series[];
}

export const STEP_MS = 3_600_000;
export const STEPS = 14 * 24;

type Metric = Series['metric'];
const METRICS: readonly Metric[] = [
  'calls',
  'error',
  'dissatisfied',
  'latency_p50_ms',
  'latency_p95_ms',
  'ttft_p50_ms',
  'tokens_mean',
  'cost_mean_usd',
];
const TTFT = QUANTITIES.indexOf('ttft_ms');
const TOKENS_IN = QUANTITIES.indexOf('tokens_in');
const TOKENS_OUT = QUANTITIES.indexOf('tokens_out');
const COST = QUANTITIES.indexOf('cost_usd');

type Point = readonly [value: number | null, count: number];

/** One agent's, or target's, facts by the hour, and what was told of the hours that are over. */
interface Line {
  readonly segment: Segment;
  readonly hours: Map<number, Fact[]>;
  /** The hour of the first value in `rows`, one row a metric. */
  first: number;
  readonly rows: readonly Row[];
  /** Hours of which something new is known since they were told. */
  readonly changed: Set<number>;
}

interface Row {
  readonly metric: Metric;
  values: (number | null)[];
  counts: number[];
}

export function createSeries(): SeriesKeeper {
  const lines = new Map<string, Map<string | null, Line>>();
  const lineOf = (agent: string, target: string | null): Line => {
    let own = lines.get(agent);
    if (!own) {
      own = new Map();
      lines.set(agent, own);
    }
    let line = own.get(target);
    if (!line) {
      line = newLine({ agent, target });
      own.set(target, line);
    }
    return line;
  };
  /** In the order in which they came: an agent's own before its targets'. */
  const named: Line[] = [];
  const newLine = (segment: Segment): Line => {
    const rows = METRICS.map((metric): Row => ({ metric, values: [], counts: [] }));
    const line = { segment, hours: new Map(), first: 0, rows, changed: new Set<number>() };
    named.push(line);
    return line;
  };
  const change = (fact: Fact, alter: (line: Line, step: number) => void): void => {
    const step = Math.floor(fact.at_ms / STEP_MS);
    alter(lineOf(fact.agent, null), step);
    if (fact.target !== null) alter(lineOf(fact.agent, fact.target), step);
  };

  return {
    add(fact) {
      change(fact, ({ hours, changed }, step) => {
        const facts = hours.get(step);
        if (facts) facts.push(fact);
        else hours.set(step, [fact]);
        changed.add(step);
      });
    },
    changed(fact) {
      change(fact, ({ changed }, step) => changed.add(step));
    },
    upTo(to_ms) {
      const end = Math.floor(to_ms / STEP_MS);
      return named.flatMap((line) => seriesOf(line, end));
    },
  };
}

function seriesOf(line: Line, end: number): readonly Series[] {
  const { segment, hours } = line;
  for (const step of hours.keys()) if (step < end - STEPS) hours.delete(step);
  const first = Math.max(end - STEPS, Math.min(...hours.keys()));
  tell(line, first, end);
  return line.rows.map(({ metric, values, counts }) => ({
    segment,
    metric,
    from_ms: first * STEP_MS,
    step_ms: STEP_MS,
    values: values.slice(),
    counts: counts.slice(),
  }));
}

/** Brings the rows up to the hours from `first` to `end`: most of them are as they were. */
function tell(line: Line, first: number, end: number): void {
  const { hours, rows, changed } = line;
  const [gone, told] = [first - line.first, rows[0]?.values.length ?? 0];
  const kept = gone >= 0 && gone <= told ? told - gone : 0;
  for (const row of rows) {
    row.values = kept > 0 ? row.values.slice(gone) : [];
    row.counts = kept > 0 ? row.counts.slice(gone) : [];
  }
  line.first = first;
  for (const step of changed) {
    if (step >= first && step < first + kept) put(rows, step - first, hours.get(step));
    if (step < end) changed.delete(step);
  }
  for (let step = first + kept; step < end; step += 1) put(rows, step - first, hours.get(step));
}

function put(rows: readonly Row[], place: number, facts: readonly Fact[] | undefined): void {
  const points = facts ? pointsOf(facts) : null;
  for (const { metric, values, counts } of rows) {
    const [value, count] = points?.[metric] ?? (metric === 'calls' ? NO_CALLS : NOTHING);
    values[place] = value;
    counts[place] = count;
  }
}

const NOTHING: Point = [null, 0];
const NO_CALLS: Point = [0, 0];

function pointsOf(facts: readonly Fact[]): Readonly<Partial<Record<Metric, Point>>> {
  const calls = facts.filter(({ is_call }) => is_call);
  const raters = facts.filter(({ verdicts }) => verdicts.some(({ rated }) => rated));
  const angry = raters.filter(({ verdicts }) => verdicts.some((one) => one.dissatisfied));
  const failed = calls.filter(({ metrics }) => metrics.includes('error'));
  const latencies = sortedOf(calls, LATENCY);
  return {
    calls: [calls.length, calls.length],
    error: shareOf(failed, calls),
    dissatisfied: shareOf(angry, raters),
    latency_p50_ms: quantileOf(latencies, 0.5),
    latency_p95_ms: quantileOf(latencies, 0.95),
    ttft_p50_ms: quantileOf(sortedOf(calls, TTFT), 0.5),
    tokens_mean: meanOf(tokensOf(calls)),
    cost_mean_usd: meanOf(valuesOf(calls, COST)),
  };
}

function valuesOf(facts: readonly Fact[], quantity: number): number[] {
  const found: number[] = [];
  for (const { values } of facts) {
    const value = values[quantity] ?? null;
    if (value !== null) found.push(value);
  }
  return found;
}

function sortedOf(facts: readonly Fact[], quantity: number): Float64Array {
  return Float64Array.from(valuesOf(facts, quantity)).sort();
}

/** Of those that were answered. */
function tokensOf(facts: readonly Fact[]): readonly number[] {
  const whole = facts.filter(({ values }) => values[TOKENS_OUT] !== null);
  return whole.map(({ values }) => (values[TOKENS_IN] ?? 0) + (values[TOKENS_OUT] ?? 0));
}

/** Of units, each once. */
function shareOf(some: readonly Fact[], all: readonly Fact[]): Point {
  const units = unitsOf(all);
  return units === 0 ? NOTHING : [unitsOf(some) / units, units];
}

function unitsOf(facts: readonly Fact[]): number {
  if (facts.length < 2) return facts.length;
  return new Set(facts.map(({ unit }) => unit)).size;
}

function meanOf(values: readonly number[]): Point {
  if (values.length === 0) return NOTHING;
  return [values.reduce((sum, value) => sum + value, 0) / values.length, values.length];
}

/** The value whose rank is q·(n − 1), rounded down: as a sketch answers. */
function quantileOf(sorted: Float64Array, q: number): Point {
  if (sorted.length === 0) return NOTHING;
  return [sorted[Math.floor(q * (sorted.length - 1))] ?? null, sorted.length];
}
