import { QUANTITIES, type Quantity, type Segment, type Series } from '../core/observation.ts';
import type { Fact } from './facts.ts';

/** Values by the hour of each agent and each of its targets, fourteen days back. */
export interface SeriesKeeper {
  add(fact: Fact): void;
  /** Something was learned of a call that is in already. */
  changed(fact: Fact): void;
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

type Point = readonly [value: number | null, count: number];

interface Hour {
  readonly facts: Fact[];
  /** By metric; null where something has changed since. */
  points: Readonly<Record<string, Point>> | null;
}

interface Line {
  readonly segment: Segment;
  readonly hours: Map<number, Hour>;
}

export function createSeries(): SeriesKeeper {
  const lines = new Map<string, Line>();
  const hoursOf = (fact: Fact): readonly Hour[] => {
    const { agent, target } = fact;
    const segments: readonly Segment[] =
      target === null
        ? [{ agent, target }]
        : [
            { agent, target: null },
            { agent, target },
          ];
    return segments.map((segment) => {
      const key = `${segment.agent}\0${segment.target ?? ''}`;
      const line = lines.get(key) ?? { segment, hours: new Map<number, Hour>() };
      lines.set(key, line);
      const step = Math.floor(fact.at_ms / STEP_MS);
      const hour = line.hours.get(step) ?? { facts: [], points: null };
      line.hours.set(step, hour);
      return hour;
    });
  };

  return {
    add(fact) {
      for (const hour of hoursOf(fact)) {
        hour.facts.push(fact);
        hour.points = null;
      }
    },
    changed(fact) {
      for (const hour of hoursOf(fact)) hour.points = null;
    },
    upTo(to_ms) {
      const end = Math.floor(to_ms / STEP_MS);
      return [...lines.values()].flatMap((line) => {
        for (const step of line.hours.keys()) if (step < end - STEPS) line.hours.delete(step);
        return seriesOf(line, end);
      });
    },
  };
}

const NOTHING: Point = [null, 0];

function seriesOf({ segment, hours }: Line, end: number): readonly Series[] {
  const first = Math.max(end - STEPS, Math.min(...hours.keys()));
  const points = Array.from({ length: Math.max(0, end - first) }, (_, index) => {
    const hour = hours.get(first + index);
    if (!hour) return null;
    hour.points ??= pointsOf(hour.facts);
    return hour.points;
  });
  return METRICS.map((metric) => {
    const none: Point = metric === 'calls' ? [0, 0] : NOTHING;
    const own = points.map((point) => point?.[metric] ?? none);
    return {
      segment,
      metric,
      from_ms: first * STEP_MS,
      step_ms: STEP_MS,
      values: own.map(([value]) => value),
      counts: own.map(([, count]) => count),
    };
  });
}

function pointsOf(facts: readonly Fact[]): Readonly<Record<string, Point>> {
  const calls = facts.filter(({ is_call }) => is_call);
  const raters = facts.filter(({ verdicts }) => verdicts.some(({ rated }) => rated));
  const angry = raters.filter(({ verdicts }) => verdicts.some((one) => one.dissatisfied));
  const failed = calls.filter(({ metrics }) => metrics.has('error'));
  const tokens = meanOf(sumsOf(calls, ['tokens_in', 'tokens_out']));
  return {
    calls: [calls.length, calls.length],
    error: shareOf(failed, calls),
    dissatisfied: shareOf(angry, raters),
    latency_p50_ms: quantileOf(valuesOf(calls, 'latency_ms'), 0.5),
    latency_p95_ms: quantileOf(valuesOf(calls, 'latency_ms'), 0.95),
    ttft_p50_ms: quantileOf(valuesOf(calls, 'ttft_ms'), 0.5),
    tokens_mean: tokens,
    cost_mean_usd: meanOf(valuesOf(calls, 'cost_usd')),
  };
}

function valuesOf(facts: readonly Fact[], quantity: Quantity): readonly number[] {
  const index = QUANTITIES.indexOf(quantity);
  return facts.flatMap(({ values }) => values[index] ?? []);
}

function sumsOf(facts: readonly Fact[], quantities: readonly Quantity[]): readonly number[] {
  const whole = facts.filter(({ values }) => values[QUANTITIES.indexOf('tokens_out')] !== null);
  return whole.map(({ values }) =>
    quantities.reduce((sum, name) => sum + (values[QUANTITIES.indexOf(name)] ?? 0), 0),
  );
}

/** Of units, each once. */
function shareOf(some: readonly Fact[], all: readonly Fact[]): Point {
  const units = new Set(all.map(({ unit }) => unit)).size;
  const events = new Set(some.map(({ unit }) => unit)).size;
  return units === 0 ? NOTHING : [events / units, units];
}

function meanOf(values: readonly number[]): Point {
  if (values.length === 0) return NOTHING;
  return [values.reduce((sum, value) => sum + value, 0) / values.length, values.length];
}

/** The value whose rank is q·(n − 1), rounded down: as a sketch answers. */
function quantileOf(values: readonly number[], q: number): Point {
  if (values.length === 0) return NOTHING;
  const sorted = [...values].sort((left, right) => left - right);
  return [sorted[Math.floor(q * (sorted.length - 1))] ?? null, sorted.length];
}
