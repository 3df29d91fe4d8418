/** What the policy says of texts that are kept, and of prompts that a model proposes. */

/** `capture.bodies`: which calls are kept as samples, as they are or redacted; absent: none. */
export interface CapturedBodies {
  readonly mode: 'redacted' | 'on';
  /** Of the calls that could be kept. */
  readonly share: number;
  /** Of one sample: messages and answer together. A longer call is not kept. */
  readonly bytes_max: number;
  /** Samples of one agent. */
  readonly kept_max: number;
  readonly days: number;
}

/** `proposals.prompt`; absent: no model proposes anything. */
export interface PromptProposals {
  /** Who reflects: a target, asked as the agent whose prompt it is about; or an agent. */
  readonly target?: string;
  readonly agent?: string;
  /** Whose prompts; absent: of all agents whose prompt the bounds let move. */
  readonly agents?: readonly string[];
  readonly budget: ProposalBudget;
  /** USD a million tokens, for `budget.usd_per_day`: the dearest model that is asked. */
  readonly price?: { readonly in: number; readonly out: number };
  /** The target that compares two answers; absent: declared checks alone decide. */
  readonly judge?: string;
  readonly checks: readonly AnswerCheck[];
  /** What a proposed patch may do. */
  readonly ops: readonly ProposedOp[];
  /** The label that the best proposal is put under. */
  readonly label: string;
  /** Policy hours between two reflections on one agent. */
  readonly every_hours: number;
  /** Of one call to a model; real time. */
  readonly timeout_ms: number;
  readonly tokens_max: number;
  /** Failures in a row after which no model is asked for a while. */
  readonly failures_max: number;
  /** Units whose calls a reflection needs, and the most calls that it sees. */
  readonly units_min: number;
  readonly calls_max: number;
  /** Pairs of answers, each of another unit, before a verdict; and after which there is none. */
  readonly pairs_min: number;
  readonly pairs_max: number;
  /** Candidates of one agent on the Pareto front. */
  readonly front_max: number;
}

/** A UTC day of the wall clock: what is spent is real. */
export interface ProposalBudget {
  readonly calls_per_day: number;
  readonly tokens_per_day: number;
  readonly usd_per_day?: number;
}

export type ProposedOp = 'system.append' | 'system.prepend' | 'replace' | 'user.suffix';

/** One declared check of an answer's text; exactly one key. */
export interface AnswerCheck {
  readonly contains?: string;
  readonly not_contains?: string;
  readonly chars_min?: number;
  readonly chars_max?: number;
  readonly json?: true;
}
