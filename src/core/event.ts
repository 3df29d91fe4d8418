import type { Attempt, Decision, Outcome, Tokens } from './call.ts';
import type { JsonObject } from './canonical.ts';

/**
 * What is recorded, and in what words. Events are open for new optional fields; `v` changes when an
 * old reader would misread one. Times are policy milliseconds, latencies real ones.
 */
export interface CallEvent {
  readonly type: 'call';
  readonly v: 1;
  readonly id: string;
  readonly request_id: string;
  /** The upstream's id of the completion, which clients may rate by. */
  readonly completion_id: string | null;
  readonly at_ms: number;
  readonly tenant: string;
  readonly key: string;
  readonly agent: string;
  readonly unit: string;
  readonly user: string | null;
  readonly session: string | null;
  /** The earlier call that this one repeats or continues, and how. */
  readonly parent: string | null;
  readonly relation: Relation | null;
  readonly version: string;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly share: number | null;
  readonly decisions: readonly Decision[];
  /**
   * The target chosen before health exclusion; null where the call was rejected before a choice.
   */
  readonly intended: string | null;
  readonly served: string | null;
  readonly adapter: string | null;
  readonly attempts: readonly Attempt[];
  /**
   * Answers that a plugin kept back before the first byte, so that the next target was asked;
   * absent where there is none. `tokens` and `cost_usd` of the call count them in.
   */
  readonly escalations?: readonly Escalation[];
  readonly ttft_ms: number | null;
  readonly latency_ms: number;
  /** Of the answer that was given, `escalations` and what `attempts` lost, added up. */
  readonly tokens: Tokens;
  /** Of the same, by the policy's prices; null where one of the targets has none. */
  readonly cost_usd: number | null;
  readonly outcome: Outcome['outcome'];
  /**
   * Whether none of the arm's own targets answered, also when a fallback or a health exclusion then
   * served the call: what both arms of an experiment are judged by alike.
   */
  readonly arm_error: boolean;
  readonly finish: string | null;
  readonly markers: readonly string[];
  /** The first rule of the policy's `categories` that held, else `other`; absent without rules. */
  readonly category?: string;
  /** What was seen of this call's own answer; absent where nothing was. */
  readonly signals?: AnswerSignals;
  /** What this call says of its parent's answer; absent unless `relation` is `turn`. */
  readonly follow_up?: FollowUp;
  readonly origin: Origin;
}

export interface Escalation {
  readonly target: string;
  readonly plugin: string;
  /** The check that the answer failed, such as `truncated`. */
  readonly reason: string;
  readonly tokens: Tokens;
  readonly cost_usd: number | null;
  /** It was given after all, since nobody asked after it answered. */
  readonly given: boolean;
}

/**
 * What rules saw in an answer: numbers and classes, nothing of what was said. Each is absent where
 * it did not happen or could not be told; docs/signals.md has the rules and their limits.
 */
export interface AnswerSignals {
  /** Characters (UTF-16 units) of the answer's text that were seen; tool calls are not text. */
  readonly chars?: number;
  /** Where the client hung up: characters it had been sent by then. */
  readonly abort_chars?: number;
  /** The same as a share of what the agent's answers usually are, 0..1; absent until known. */
  readonly abort_share?: number;
  /** What was wrong with an answer for which JSON was asked. */
  readonly schema?: SchemaViolation;
  /** The language whose rule found that the answer refuses, such as `en`. */
  readonly refusal?: string;
  /** The languages of the last message and of the answer, where they differ: `['de', 'en']`. */
  readonly language?: readonly [asked: string, answered: string];
  /** How far the answer's length lies outside of the agent's usual ones, and on which side. */
  readonly length?: 'short' | 'long';
  readonly finish?: FinishAnomaly;
}

/** `not_json`: none, or no object; `type`, `required`, …: the first keyword that did not hold. */
export type SchemaViolation = 'not_json' | 'type' | 'required' | 'enum' | 'additional' | 'bounds';

/**
 * `truncated`: stopped by a limit of tokens; `filtered`: stopped by the provider's filter; `empty`:
 * a regular end with nothing said and no tool called; `missing`: complete, but with no reason.
 */
export type FinishAnomaly = 'truncated' | 'filtered' | 'empty' | 'missing';

/** What the user's next turn says of the answer before it. */
export interface FollowUp {
  readonly class: FollowUpClass;
  /** How like the user's earlier message this one is: Jaccard of hashed n-grams, 0..1. */
  readonly similarity?: number;
  /** The earlier question again, in nearly the same words. */
  readonly reask?: true;
  /** The user says that the answer missed what was meant. */
  readonly correction?: true;
  /** Results of tools in this turn that report an error. */
  readonly tool_failures?: number;
}

export type FollowUpClass =
  | 'satisfied'
  | 'needs_clarification'
  | 'wrong_answer'
  | 'wants_different'
  | 'none';

/**
 * What a model says of the answer that a turn goes on from: a class, and nothing of what was said.
 * It comes after the turn's own record, from the worker, and is counted apart from what rules say.
 */
export interface FollowUpEvent {
  readonly type: 'follow_up';
  readonly v: 1;
  readonly at_ms: number;
  /** The turn; what is judged is its parent's answer. */
  readonly call: string;
  readonly tenant: string;
  readonly class: FollowUpClass;
  /** The target that was asked. */
  readonly by: string;
}

/**
 * What a call has cost whose answer was made in the background, after the call: told once, when its
 * client reads it. The call's own record counts nothing and has no cost.
 */
export interface UsageEvent {
  readonly type: 'usage';
  readonly v: 1;
  readonly at_ms: number;
  readonly call: string;
  readonly tenant: string;
  readonly tokens: Tokens;
  /** By the policy's price when it was read; null where the target has none. */
  readonly cost_usd: number | null;
}

export type Relation = 'retry' | 'regeneration' | 'turn';
export type Origin = 'client' | 'oracle' | 'probe' | 'regression';

export interface FeedbackEvent {
  readonly type: 'feedback';
  readonly v: 1;
  /** `<feedback_id>.<signal>`: a body yields one event a signal. */
  readonly id: string;
  readonly at_ms: number;
  readonly tenant: string;
  /** Who rated: the user, else the session, else the key; hashed. */
  readonly rater: string;
  /** What the feedback named; the worker decides which call it is matched to. */
  readonly call: string | null;
  readonly completion_id: string | null;
  readonly request_id: string | null;
  readonly session: string | null;
  readonly agent: string | null;
  readonly key: string;
  readonly matched: Matched;
  readonly signal: Signal;
  /** 1..5 for a rating, 0 or 1 for helpful, accepted and complaint, 1 for a correction. */
  readonly value: number;
  readonly text: string | null;
  /**
   * How the text of a comment or complaint sounds, −1 (displeased) to 1, by rules; absent where the
   * same feedback has a verdict, or the rules know none of its words. Weak: it is no verdict and
   * never counts as `dissatisfied`.
   */
  readonly sentiment?: number;
  readonly channel: 'header' | 'api' | 'seed';
  /** The client's `idempotency-key`, hashed, or null. */
  readonly idempotency: string | null;
}

export type Signal = 'rating' | 'helpful' | 'correction' | 'complaint' | 'accepted';
export type Matched = 'call' | 'session' | 'agent' | 'none' | 'pending';

/**
 * What the application measured and reported itself; never mixed with what the gateway measured.
 */
export interface ReportEvent {
  readonly type: 'report';
  readonly v: 1;
  readonly id: string;
  readonly at_ms: number;
  readonly tenant: string;
  readonly agent: string | null;
  readonly session: string | null;
  readonly values: Readonly<Record<string, number>>;
}

/** The gateway serves another policy now. */
export interface PolicySwappedEvent {
  readonly type: 'policy.swapped';
  readonly v: 1;
  readonly at_ms: number;
  /** The epoch of the state that was folded; 0 where the worker has not spoken yet. */
  readonly epoch: number;
  readonly version: string;
  /** Rows that were not applied because what lies under them changed. */
  readonly superseded: readonly string[];
}

/**
 * The gateway set an arm's share to 0 by itself, and keeps it so until the row's state says why.
 */
export interface CanaryWithheldEvent {
  readonly type: 'canary.withheld';
  readonly v: 1;
  readonly at_ms: number;
  readonly experiment: string;
  /** The permit's epoch at that time. */
  readonly epoch: number;
  readonly cause: 'expired' | 'trigger';
  readonly reason: string;
}

/**
 * A decision of the worker, journalled before it is committed: approvals, mutations, withdrawals.
 * The changes are whole rows, so applying one twice changes nothing; `epoch` orders them.
 */
export interface LedgerEvent {
  readonly type: 'ledger';
  readonly v: 1;
  readonly at_ms: number;
  readonly epoch: number;
  readonly changes: readonly LedgerChange[];
}

export interface LedgerChange {
  readonly table: 'mutations' | 'plans' | 'experiments';
  readonly row: JsonObject;
}

/** The last record of a segment that was rotated or closed in order. */
export interface SegmentClosedEvent {
  readonly type: 'segment.closed';
  readonly v: 1;
  readonly at_ms: number;
  readonly records: number;
}

export type JournalRecord =
  | CallEvent
  | FeedbackEvent
  | FollowUpEvent
  | UsageEvent
  | ReportEvent
  | PolicySwappedEvent
  | CanaryWithheldEvent
  | LedgerEvent
  | SegmentClosedEvent;

/**
 * A segment is `<writer>-<n>.log`; a record in it is a line: CRC-32 of the JSON in 8 lower-case hex
 * digits, a space, the JSON in UTF-8, a newline.
 */
export const JOURNAL_RECORD_BYTES_MAX = 256 * 1024;

/** Dissatisfied = rating ≤ 2, not helpful, or a complaint. */
export function isDissatisfied(signal: Signal, value: number): boolean {
  if (signal === 'rating') return value <= 2;
  if (signal === 'helpful') return value === 0;
  return signal === 'complaint' && value > 0;
}

/** Whether a signal is a verdict on an answer, so that its rater counts as one who rated. */
export function isVerdict(signal: Signal): boolean {
  return signal === 'rating' || signal === 'helpful' || signal === 'complaint';
}
