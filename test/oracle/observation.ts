import { instantiate } from '../../src/core/definition.ts';
import type { DetectorDefinition, DetectorResult, FindingDraft } from '../../src/core/finding.ts';
import type {
  Observation,
  SegmentObservation,
  Series,
  Sketch,
  UnitMetric,
} from '../../src/core/observation.ts';
import { createRandom } from '../../src/core/series/random.ts';
import { sketchValues } from '../../src/core/sketch.ts';
import { HOST, POLICY, segmentOf } from './kit.ts';

/** Observations by hand, for the detectors' tests. */
export const HOUR = 3_600_000;
export const NOW_MS = 30 * 24 * HOUR;

export function observed(
  segments: readonly SegmentObservation[],
  past: readonly SegmentObservation[] = [],
  change: Partial<Observation> = {},
): Observation {
  return {
    at_ms: NOW_MS,
    window: { from_ms: NOW_MS - 24 * HOUR, to_ms: NOW_MS },
    version: 'v',
    segments,
    past,
    halves: [[], []],
    series: [],
    loads: [],
    frozen: [],
    thresholds: POLICY.oracle.thresholds,
    ...change,
  };
}

export function detectWith<Options>(
  definition: DetectorDefinition<Options>,
  observation: Observation,
  options: object = {},
): DetectorResult {
  return instantiate(definition, options, HOST)(observation);
}

/** A cell of which `events` of `units` had what `metric` says. */
export function cell(
  target: string | null,
  metric: UnitMetric,
  events: number,
  units: number,
  change: Partial<SegmentObservation> & { category?: string; tenant?: string } = {},
): SegmentObservation {
  const { category, tenant, ...rest } = change;
  const one = segmentOf('duo', target, { calls: units, users: units, ...rest });
  return {
    ...one,
    segment: { ...one.segment, ...(category && { category }), ...(tenant && { tenant }) },
    rates: { [metric]: { units, events } },
  };
}

/** Log-normal values: `count` of them around `middle`, always the same for a seed. */
export function lognormal(middle: number, count: number, seed = 1, spread = 0.5): Sketch {
  const random = createRandom(seed);
  const values = Array.from({ length: count }, () => middle * Math.exp(spread * random.normal()));
  return sketchValues(values) as Sketch;
}

/** Days of hours, eight unless told: `levelAt(hour)`, with normal noise of σ `noise` on the log. */
export function hourly(
  metric: Series['metric'],
  levelAt: (hour: number) => number,
  {
    target = null as string | null,
    noise = 0.05 as number | ((hour: number) => number),
    seed = 1,
    count = 80 as number | ((hour: number) => number),
    days = 8,
  } = {},
): Series {
  const random = createRandom(seed);
  const of = (value: typeof noise, hour: number): number =>
    typeof value === 'number' ? value : value(hour);
  const values = Array.from({ length: days * 24 }, (_, hour) => {
    return levelAt(hour) * Math.exp(of(noise, hour) * random.normal());
  });
  return {
    segment: { agent: 'duo', target },
    metric,
    from_ms: NOW_MS - days * 24 * HOUR,
    step_ms: HOUR,
    values,
    counts: values.map((_, hour) => of(count, hour)),
  };
}

/** Which cells a result is about: `target/category/tenant metric level`. */
export function toldOf({ findings }: { readonly findings: readonly FindingDraft[] }): string[] {
  return findings.map(({ segment: { target, category, tenant }, metric, level }) => {
    const cellOf = [target, category, tenant].filter(Boolean).join('/') || 'agent';
    return `${cellOf} ${metric} ${level}`;
  });
}
