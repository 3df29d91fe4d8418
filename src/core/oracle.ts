import type { Json, JsonObject } from './canonical.ts';
import type { Definition, LeafHost, Registry } from './definition.ts';
import type { Contents, Policy, Risk, Thresholds } from './policy.ts';

/**
 * The words of the loop: observation → findings → plan → verdicts → mutation row → keep or revert.
 * Every stage's product is data that is stored as it is, so that a cycle can be read, replayed and
 * argued about afterwards. Times are policy milliseconds.
 */

/** What may harm or improve; each is judged as "did it happen to this unit", never per call. */
export type Metric = 'error' | 'slow' | 'abort' | 'dissatisfied';
export const METRICS_OF_HARM: readonly Metric[] = ['error', 'slow', 'abort', 'dissatisfied'];

/** A cell of traffic; null stands for all. */
export interface Segment {
  readonly agent: string;
  readonly target: string | null;
}

// ---- collect
// -------------------------------------------------------------------------------------

/**
 * What collect knows of one segment in one window; control and unexposed traffic of clients only.
 */
export interface SegmentStats {
  readonly segment: Segment;
  readonly calls: number;
  readonly errors: number;
  readonly aborted: number;
  readonly retries: number;
  readonly regenerations: number;
  readonly latency_sum_ms: number;
  readonly ratings: number;
  readonly rating_sum: number;
  /** Distinct units with a call, and those among them with at least one of each. */
  readonly units: number;
  readonly units_error: number;
  readonly units_abort: number;
  /** Units that gave a verdict (rating, helpful or complaint), and those dissatisfied by it. */
  readonly units_rated: number;
  readonly units_dissatisfied: number;
  /** Ids of calls that show it, newest first, at most `event_limit`. */
  readonly evidence: readonly string[];
}

export interface Window {
  readonly from_ms: number;
  readonly to_ms: number;
}

/** The yardsticks' data: this window, and the segments' own past (days 1 to 7 before it). */
export interface Observation {
  readonly at_ms: number;
  readonly window: Window;
  /** The policy version in force. */
  readonly version: string;
  readonly segments: readonly SegmentStats[];
  readonly past: readonly SegmentStats[];
  readonly thresholds: Thresholds;
}

// ---- analyze
// -------------------------------------------------------------------------------------

export type Severity = 'info' | 'warning' | 'critical';

export interface Finding {
  readonly id: string;
  readonly detector: string;
  readonly segment: Segment;
  readonly metric: Metric;
  /** The unit rate minus the yardstick. */
  readonly effect: number;
  /** 95 % interval of the unit rate. */
  readonly interval: readonly [number, number];
  readonly yardstick: { readonly kind: 'peers' | 'past' | 'threshold'; readonly value: number };
  /** Units with the event, and units in all. */
  readonly n: number;
  readonly units: number;
  readonly severity: Severity;
  /** A sentence for people. */
  readonly text: string;
  readonly evidence: readonly string[];
}

/** A 'no' with its reason: there is too little data to say anything. */
export interface Insufficient {
  readonly detector: string;
  readonly segment: Segment;
  readonly metric: Metric;
  readonly units: number;
  readonly required: number;
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

/** Pure: the same observation gives the same findings. Findings get their ids afterwards. */
export type Detector = (observation: Observation) => DetectorResult;
export interface DetectorResult {
  readonly findings: readonly Omit<Finding, 'id' | 'detector'>[];
  readonly insufficient: readonly Omit<Insufficient, 'detector'>[];
}
export type DetectorDefinition<Options> = Definition<Options, LeafHost, Detector>;
export type DetectorRegistry = Registry<LeafHost, Detector>;

// ---- decide
// --------------------------------------------------------------------------------------

export type MutationType =
  | 'PROMPT_PATCH'
  | 'MODEL_SWAP'
  | 'LORA_APPLY'
  | 'ROUTE_CHANGE'
  | 'PARAM_SET'
  | 'MEMORY_UPDATE';

/** What a strategy proposes: a merge patch (RFC 7396) over the normalised policy. */
export interface Change {
  readonly patch: JsonObject;
  readonly why: string;
}

/**
 * What a strategy may look at. `tried` are the patches of every row of this agent, whatever its
 * end.
 */
export interface Tried {
  readonly policy: Policy;
  readonly tried: readonly JsonObject[];
}

export interface MutationKind {
  readonly type: MutationType;
  /** JSON pointer patterns of what it may touch; `*` is one token. */
  readonly paths: readonly string[];
  /** The risk until the type has earned another. */
  readonly risk: Risk;
  /**
   * Pure. Null where it has nothing (more) to propose; a type without a strategy takes people's
   * plans.
   */
  propose?(finding: Finding, context: Tried): Change | null;
}
export type MutationDefinition<Options> = Definition<Options, LeafHost, MutationKind>;
export type MutationRegistry = Registry<LeafHost, MutationKind>;

/** The calibrated chance that the change does what it claims, and its lower 90 % bound. */
export interface Confidence {
  readonly value: number;
  readonly lower: number;
}

export interface Mutation {
  readonly id: string;
  readonly type: MutationType;
  readonly agent: string;
  /** JSON pointers that the patch writes. */
  readonly touches: readonly string[];
  /** The values at `touches` when it was planned; null where there was none. */
  readonly before: Readonly<Record<string, Json>>;
  readonly patch: JsonObject;
  /** The metric that a promotion must improve. */
  readonly primary: Metric;
  /** Null for a person's plan. */
  readonly confidence: Confidence | null;
  readonly risk: Risk;
  /** The expected change of the primary metric's unit rate; null where nobody claims one. */
  readonly expected: number | null;
  readonly finding: string | null;
  readonly why: string | null;
}

export type PlanState =
  | 'proposed'
  | 'needs_approval'
  | 'approved'
  | 'rejected'
  | 'failed'
  | 'executed'
  | 'expired';

export interface Plan {
  readonly id: string;
  readonly origin: 'oracle' | 'person';
  readonly state: PlanState;
  readonly created_ms: number;
  readonly expires_at: string;
  readonly mutations: readonly Mutation[];
}

// ---- validate
// ------------------------------------------------------------------------------------

export interface Verdict {
  readonly verdict: 'pass' | 'fail' | 'needs_approval' | 'not_applicable';
  readonly reason: string;
}

/** A verdict as it is stored: of which gate, on which mutation, on which inputs. */
export interface GateVerdict extends Verdict {
  readonly mutation: string;
  readonly gate: string;
  readonly inputs_sha256: string;
}

export interface Proposal {
  readonly mutation: Mutation;
  readonly origin: Plan['origin'];
  readonly approved: boolean;
}

/**
 * Everything that a gate may weigh beside the proposal: data, so that its verdict can be replayed.
 */
export interface Before {
  readonly at_ms: number;
  /** The YAML alone, and with the applied rows folded over it. */
  readonly base: Policy;
  readonly policy: Policy;
  readonly contents: Contents;
  /** Every applied, canary or paused row, in order of seq. */
  readonly rows: readonly Row[];
  /** Executed mutations of the last hour: when, and which. */
  readonly recent: readonly { readonly id: string; readonly at_ms: number }[];
  /** Mutations of the same plan that stand before this one. */
  readonly earlier: readonly Mutation[];
  readonly kinds: Readonly<Record<MutationType, { readonly paths: readonly string[] }>>;
  /** Checks a policy as the YAML's loader would; the reasons why it does not stand. */
  readonly problemsOf: (policy: Policy) => readonly string[];
}

/** The regression gate's way to the real pipeline; wired in `worker.ts` when that gate comes. */
export interface Trial {
  run(policy: Policy, ask: JsonObject): Promise<JsonObject>;
}

/**
 * One deterministic check. Pure but for `trial`; never throws on odd data: it fails with a reason.
 */
export type Gate = (proposal: Proposal, before: Before, trial?: Trial) => Verdict;
export type GateDefinition<Options> = Definition<Options, LeafHost, Gate>;
export type GateRegistry = Registry<LeafHost, Gate>;

// ---- execute and monitor
// -------------------------------------------------------------------------

export type RowState =
  | 'planned'
  | 'canary'
  | 'paused'
  | 'applied'
  | 'withdrawn'
  | 'rejected'
  | 'superseded';

/** An executed mutation, as the ledger and the gateway hold it. */
export interface Row {
  readonly seq: number;
  /** The mutation's id. */
  readonly id: string;
  readonly rollback_key: string;
  readonly type: MutationType;
  readonly agent: string;
  readonly state: RowState;
  readonly touches: readonly string[];
  readonly before: Readonly<Record<string, Json>>;
  readonly patch: JsonObject;
}
