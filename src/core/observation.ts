import type { Thresholds } from './policy.ts';

/**
 * What collect knows and detectors judge: rollups as data. Client traffic of control and of no
 * experiment only; times are policy milliseconds, latencies real ones, money USD.
 */

/** What may harm or improve; each is judged as "did it happen to this unit", never per call. */
export type Metric = 'error' | 'slow' | 'abort' | 'dissatisfied';
export const METRICS_OF_HARM: readonly Metric[] = ['error', 'slow', 'abort', 'dissatisfied'];

/** What is learned of an answer beside the metrics of harm; each is "did it happen to the unit". */
export const SIGNAL_METRICS = [
  'retry',
  'regeneration',
  'reask',
  'correction',
  'complaint',
  'accepted',
  'tool_failure',
  'schema_violation',
  'refusal',
  'language_mismatch',
  'length_outlier',
  'wrong_answer',
  'needs_clarification',
  'wants_different',
  'satisfied',
  'model_wrong_answer',
  'model_needs_clarification',
  'model_wants_different',
  'model_satisfied',
] as const;
export type SignalMetric = (typeof SIGNAL_METRICS)[number];

/**
 * The units that a signal is a share of: those that called, those that rated, or those of whom a
 * model judged a turn. A model is shown some turns only, and more of them in a quiet hour.
 */
export function basisOf(metric: SignalMetric): 'calls' | 'rated' | 'model_judged' {
  if (metric === 'complaint') return 'rated';
  return metric.startsWith('model_') ? 'model_judged' : 'calls';
}

/** Rates of units: the metrics of harm, and signals. `slow` needs a bar that collect fixes. */
export type UnitMetric = Metric | SignalMetric;

/**
 * What is measured of calls and kept as a sketch of its distribution: of answered calls (`ok`)
 * only, since a failure is quick or a timeout, and a call that was given up has no end of its own;
 * `ttft_ms` also of those given up after their first token. Cost is that of calls whose price is
 * known.
 */
export const QUANTITIES = ['ttft_ms', 'latency_ms', 'tokens_in', 'tokens_out', 'cost_usd'] as const;
export type Quantity = (typeof QUANTITIES)[number];

/**
 * What a finding may be about: `load` is how calls fall on targets, adapters and agents,
 * `experiment` and `route` which arm or target is proven to be the best.
 */
export type FindingMetric = UnitMetric | Quantity | 'load' | ProvenBest['metric'];

/** A cell of traffic; null, or a key left out, stands for all. */
export interface Segment {
  readonly agent: string;
  readonly target: string | null;
  readonly tenant?: string | null;
  readonly category?: string | null;
}

export interface Window {
  readonly from_ms: number;
  readonly to_ms: number;
}

/** Units in all, and those among them with at least one event: each unit once. */
export interface UnitCount {
  readonly units: number;
  readonly events: number;
}

/**
 * A DDSketch (Masson, Rim, Lee, "DDSketch", VLDB 2019) as data: values fall into bins whose bounds
 * grow by (1 + accuracy) / (1 − accuracy), so a quantile is right within `accuracy` of itself, and
 * sketches of minutes, gateways and restarts add up bin by bin.
 */
export interface Sketch {
  /** Relative error of a quantile. */
  readonly accuracy: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Values that are 0 or less. */
  readonly zeros: number;
  /** `[bin index, values in it]`, ascending. */
  readonly bins: readonly (readonly [number, number])[];
}

/** A segment in a window. */
export interface SegmentObservation {
  readonly segment: Segment;
  readonly calls: number;
  /** Distinct users; at most `calls`. */
  readonly users: number;
  /**
   * By metric, `error` and `abort` always; others where they happened or where units could show
   * them. Verdicts (`dissatisfied`, `complaint`) are over units that rated, a model's classes over
   * units that it judged, all others over units that called. `slow` counts from the hour that
   * follows the fixing of its bar.
   */
  readonly rates: Readonly<Partial<Record<UnitMetric, UnitCount>>>;
  readonly quantities: Readonly<Partial<Record<Quantity, Sketch>>>;
  readonly ratings: number;
  /**
   * Mean over units of each unit's median rating (1..5): one loud user is one value. A median is of
   * one day, not of the window: of all the unit's ratings, also earlier ones, on the day (UTC) of
   * its first one in the window. Medians of days do not add up to the window's, and a look may not
   * read units one by one.
   */
  readonly rating_by_unit: number | null;
  /** `dissatisfied` by tenant, the most raters first, at most `TENANTS_MAX`; the rest summed. */
  readonly by_tenant: readonly (UnitCount & { readonly tenant: string })[];
  /** Error codes of attempts that failed (`upstream_timeout`, …), each in calls that had it. */
  readonly errors_by_class: Readonly<Record<string, number>>;
  /** Ids of calls that show it, newest first, bounded. */
  readonly evidence: readonly string[];
}
export const TENANTS_MAX = 16;
/** The tenant that stands for all others in `by_tenant`. */
export const OTHER_TENANTS = '(other)';

/** One value a step, oldest first; null where nothing was measured. */
export interface Series {
  readonly segment: Segment;
  readonly metric:
    | UnitMetric
    | 'calls'
    | 'latency_p50_ms'
    | 'latency_p95_ms'
    | 'ttft_p50_ms'
    | 'tokens_mean'
    | 'cost_mean_usd';
  readonly from_ms: number;
  readonly step_ms: number;
  readonly values: readonly (number | null)[];
  /** Calls or units behind each value. */
  readonly counts: readonly number[];
}

/** Pairs of a target, an adapter or an agent with the calls that came to it in the window. */
export interface Load {
  readonly kind: 'target' | 'adapter' | 'agent';
  /** The agent whose targets or adapters these are; null for agents themselves. */
  readonly agent: string | null;
  /** Calls by name, also of those that the policy names and nobody came to. */
  readonly calls: Readonly<Record<string, number>>;
  /** The share that the policy's weights would give; null where it states none. */
  readonly expected: Readonly<Record<string, number>> | null;
}

/**
 * An arm that an A/B experiment has proven to be the best, or a target that a router has: judged
 * where it was measured, by evidence that holds at every look. The oracle tells of it and changes
 * nothing by it.
 */
export interface ProvenBest {
  readonly metric: 'experiment' | 'route';
  /**
   * An arm over control; a target over the next best; a router that looks at calls over always one
   * target, or always one target over such a router.
   */
  readonly kind: 'arm' | 'target' | 'context' | 'single';
  /** An experiment’s agent; of a route also the target, and its category where it has one. */
  readonly segment: Segment;
  /** The run and arm, or the target. */
  readonly subject: string;
  /** What is compared, such as `dissatisfied units`, or the router’s reward. */
  readonly of: string;
  readonly measure: 'share' | 'ms' | 'usd' | 'tokens' | 'index';
  /** Of the best one, and of what it is held against: control, or the next best target. */
  readonly value: number;
  readonly against: { readonly name: string; readonly value: number };
  /** Of `value`, where the other is taken as it was measured; a confidence sequence. */
  readonly interval: readonly [number, number];
  /** The interval’s level is 1 − alpha. */
  readonly alpha: number;
  readonly e: number;
  readonly p: number;
  /** Units behind both values, and all that were assigned. */
  readonly n: number;
  readonly units: number;
  /** When it was proven, where that is known. */
  readonly since_ms: number | null;
  /** What has become of it, such as the plan that was made of it, in a sentence. */
  readonly done: string;
}

/**
 * The whole of what a cycle may look at. `segments` are cells of (agent), (agent, target), (agent,
 * tenant) and (agent, category), (agent, target, category); the half windows hold the same cells
 * for every other unit by hash, so that what was found in one half can be confirmed in the other.
 */
export interface Observation {
  readonly at_ms: number;
  /**
   * Counted in whole hours: the first one is whole, and what came after a change of an agent begins
   * at its next hour. A window of more than a day is counted in whole days, a unit once a day.
   */
  readonly window: Window;
  readonly version: string;
  readonly segments: readonly SegmentObservation[];
  /**
   * The seven whole days (UTC) that ended before the window. A unit counts once a *day*, so that
   * rates compare with those of a window of a day: over a week nearly every unit has had an error.
   */
  readonly past: readonly SegmentObservation[];
  /** The window by halves of units: `unitFraction('split', unit) < 0.5`, and the rest. */
  readonly halves: readonly [readonly SegmentObservation[], readonly SegmentObservation[]];
  readonly series: readonly Series[];
  readonly loads: readonly Load[];
  /** What experiments and routers have proven and is not in force; absent where nothing is. */
  readonly proven?: readonly ProvenBest[];
  /** Agents with a row in canary, paused or just changed: their windows are frozen. */
  readonly frozen: readonly string[];
  readonly thresholds: Thresholds;
}

/** Fewer of these is worse, and fewer may only mean that the app reports less. */
const GOOD: ReadonlySet<string> = new Set(['accepted', 'satisfied', 'model_satisfied']);

export function isGood(metric: string): boolean {
  return GOOD.has(metric);
}
