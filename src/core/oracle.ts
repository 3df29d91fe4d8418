import type { Json, JsonObject } from './canonical.ts';
import type { Definition, LeafHost, Registry } from './definition.ts';
import type { Finding } from './finding.ts';
import type { Metric } from './observation.ts';
import type { Contents, Policy, Risk } from './policy.ts';

/**
 * The words of the loop: observation → findings → plan → verdicts → mutation row → keep or revert.
 * Every stage's product is data that is stored as it is, so that a cycle can be read, replayed and
 * argued about afterwards. Times are policy milliseconds.
 */

export type {
  Analysis,
  Detector,
  DetectorDefinition,
  DetectorRegistry,
  DetectorResult,
  Finding,
  FindingDraft,
  FindingLevel,
  Insufficient,
  Measure,
  Severity,
  Yardstick,
} from './finding.ts';
export type {
  FindingMetric,
  Metric,
  Observation,
  Segment,
  SegmentObservation,
  Window,
} from './observation.ts';
export { METRICS_OF_HARM } from './observation.ts';

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
  /** Agents in an A/B experiment, and its name; absent where there is none. */
  readonly ab?: Readonly<Record<string, string>>;
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
