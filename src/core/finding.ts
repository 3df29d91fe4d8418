import type { Definition, LeafHost, Registry } from './definition.ts';
import type { FindingMetric, Metric, Observation, Segment, Window } from './observation.ts';

/** What detectors say of an observation: data, stored as it is. Times are policy milliseconds. */

export type Severity = 'info' | 'warning' | 'critical';

/**
 * What may be done with a finding. `act`: decide may plan on it. `investigate`: it holds, but not
 * firmly or not widely enough to change anything for everybody. `note`: told, and nothing more;
 * what a change of the mix explains is one.
 */
export type FindingLevel = 'act' | 'investigate' | 'note';

/** What `estimate`, `effect`, `interval` and the yardstick's value are measured in. */
export type Measure = 'share' | 'ms' | 'usd' | 'tokens' | 'index';

/**
 * What an estimate is held against. `season`: the same hours of the days before. `weights`: the
 * shares that the policy's weights would give. `control`: an experiment's arm of that name.
 */
export interface Yardstick {
  readonly kind: 'peers' | 'past' | 'season' | 'threshold' | 'weights' | 'control';
  readonly value: number;
}

/** The metric of harm that a canary must lower to have answered a finding; null where none is. */
export function harmOf(metric: FindingMetric): Metric | null {
  switch (metric) {
    case 'error':
    case 'tool_failure':
    case 'schema_violation':
      return 'error';
    case 'slow':
    case 'latency_ms':
    case 'ttft_ms':
      return 'slow';
    case 'abort':
      return 'abort';
    case 'dissatisfied':
    case 'complaint':
    case 'wrong_answer':
    case 'model_wrong_answer':
    case 'correction':
      return 'dissatisfied';
    default:
      return null;
  }
}

/** Findings are one per (segment, metric). */
export interface Finding {
  readonly id: string;
  readonly detector: string;
  /**
   * The same for as long as the finding stands: of segment, metric, direction and `since_ms`. A
   * finding that is seen again at the next look is no new one.
   */
  readonly key: string;
  /** When it was first seen standing, or, where the data tells, when it began. */
  readonly since_ms: number;
  readonly segment: Segment;
  readonly metric: FindingMetric;
  readonly measure: Measure;
  readonly level: FindingLevel;
  readonly direction: 'worse' | 'better' | 'changed';
  readonly estimate: number;
  /** The estimate minus the yardstick. */
  readonly effect: number;
  /** 95 % interval of the estimate. */
  readonly interval: readonly [number, number];
  readonly yardstick: Yardstick;
  /** One-sided p value of this look, or null where the method gives none. */
  readonly p: number | null;
  /** E-value, or null where the method gives none. */
  readonly e: number | null;
  /** Whether both halves of the units show it; null where they are too small to ask. */
  readonly confirmed: boolean | null;
  /** Units with the event (or calls behind a quantile), and units in all. */
  readonly n: number;
  readonly units: number;
  readonly severity: Severity;
  /** A sentence for people. */
  readonly text: string;
  /** What would have to be seen for this to be wrong. */
  readonly disproof: string;
  /** Other detectors that say the same of this cell. */
  readonly support: readonly string[];
  readonly evidence: readonly string[];
}

/** A 'no' with its reason: there is too little data to say anything. */
export interface Insufficient {
  readonly detector: string;
  readonly segment: Segment;
  readonly metric: FindingMetric;
  /** What there is, and what it takes, of units, calls, or steps of a series. */
  readonly units: number;
  readonly required: number;
  readonly of: 'units' | 'calls' | 'steps';
  /** When there may be enough at today's pace; null where nothing arrives. */
  readonly eta_ms: number | null;
}

export interface Analysis {
  readonly id: string;
  readonly at_ms: number;
  readonly window: Window;
  readonly version: string;
  readonly findings: readonly Finding[];
  readonly insufficient: readonly Insufficient[];
}

/** A finding as its detector makes it: identity and support come when all have spoken. */
export interface FindingDraft extends Omit<Finding, 'id' | 'detector' | 'key' | 'support'> {}

/** Pure: the same observation gives the same findings. Findings get their ids afterwards. */
export type Detector = (observation: Observation) => DetectorResult;
export interface DetectorResult {
  readonly findings: readonly FindingDraft[];
  readonly insufficient: readonly Omit<Insufficient, 'detector'>[];
}
export type DetectorDefinition<Options> = Definition<Options, LeafHost, Detector>;
export type DetectorRegistry = Registry<LeafHost, Detector>;
