import type { JsonObject } from '../core/canonical.ts';
import type {
  Analysis,
  GateVerdict,
  MutationType,
  Plan,
  PlanState,
  RowState,
} from '../core/oracle.ts';
import type { Permit, State } from '../core/state.ts';

/**
 * The oracle as the admin API and the worker see it. Every answer is what `docs/api.md` lays down.
 * All throw GatewayError: `not_found`, `bad_request`, `edited`, `approval_required`,
 * `not_validated`, `superseded`, `switched_off`.
 */
export interface Oracle {
  analyze(input: {
    readonly time_window_hours?: number;
    readonly event_limit?: number;
  }): Promise<Analysis>;
  /** `findings`: an analysis, or a list of findings or their ids; or a person's own `mutations`. */
  plan(input: PlanInput): Promise<Plan>;
  validate(plan: unknown): Promise<Validation>;
  execute(plan: unknown, options: { readonly dry_run: boolean }): Promise<Execution>;
  rollback(input: {
    readonly rollback_key: string;
    readonly emergency: boolean;
  }): Promise<Rollback>;
  approve(plan_id: string, by: string | null, note: string | null): Promise<Plan>;
  reject(plan_id: string, by: string | null, note: string | null): Promise<Plan>;
  plans(state: PlanState | null): Promise<readonly Plan[]>;
  planById(id: string): Promise<Plan>;
  /** Starts a cycle, or joins the one that runs. */
  tick(): Promise<Cycle>;
  cycle(id: string): Promise<Cycle>;
  /** The newest cycles, for `/status`. */
  cycles(limit: number): Promise<readonly Cycle[]>;
  canaries(): Promise<readonly CanaryStatus[]>;
  /** What was executed, newest first, with the keys that take it back. */
  mutations(): Promise<readonly MutationStatus[]>;
  /** What the gateway folds; sent at every change of it. */
  state(): Promise<State>;
  /** What may be served now; sent with every heartbeat. */
  permits(): Promise<readonly Permit[]>;
}

export type PlanInput =
  | { readonly findings: unknown }
  | {
      readonly mutations: readonly {
        readonly type: string;
        readonly agent: string;
        readonly patch: JsonObject;
        readonly primary?: string;
        readonly why?: string;
      }[];
    };

export interface Validation {
  readonly plan_id: string;
  readonly status: 'passed' | 'needs_approval' | 'failed' | 'pending';
  readonly overall_passed: boolean;
  readonly verdicts: readonly GateVerdict[];
}

export interface Execution {
  readonly plan_id: string;
  readonly dry_run: boolean;
  /** Whether the gateway said within a second that it serves it. */
  readonly effective: boolean;
  readonly mutations: readonly {
    readonly id: string;
    readonly rollback_key: string | null;
    readonly state: RowState;
    readonly share: number;
    readonly version_before: string;
    readonly version_after: string;
    readonly reason?: string;
  }[];
}

export interface Rollback {
  readonly rolled_back: readonly string[];
  readonly version: string;
  readonly effective: boolean;
  /** True where it had been taken back before. */
  readonly already: boolean;
}

/** A cycle is a row; each stage fills one column of it. */
export interface Cycle {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly started_ms: number;
  readonly ended_ms: number | null;
  readonly stages: {
    readonly [stage: string]: JsonObject;
  };
}

/** An executed mutation: an entry of the ledger for people. */
export interface MutationStatus {
  readonly id: string;
  readonly rollback_key: string;
  readonly type: MutationType;
  readonly agent: string;
  readonly state: RowState;
  readonly patch: JsonObject;
  readonly plan: string;
  readonly origin: Plan['origin'];
  /** Null where it was not executed. */
  readonly executed_ms: number | null;
  readonly version_before: string;
  readonly version_after: string;
  /** Why it is in its state. */
  readonly reason: string | null;
}

export interface CanaryStatus {
  readonly experiment: string;
  readonly agent: string;
  readonly mutation: string;
  readonly rollback_key: string;
  readonly state: RowState;
  readonly share: number;
  readonly started_ms: number;
  /** The last judgement of the monitor, or null before the first. */
  readonly judgement: JsonObject | null;
}
