import type { JsonObject } from './canonical.ts';
import type { Metric, Mutation, Plan, Row } from './oracle.ts';
import type { Contents } from './policy.ts';

/**
 * The ledger's rows as the store holds them and as a `LedgerChange` carries them: always whole, so
 * that writing one twice changes nothing. Times are policy milliseconds; null means "not yet".
 */

/** An executed mutation, or one that was rejected: both count as tried. `seq` is given here. */
export interface MutationRecord extends Row {
  readonly plan: string;
  readonly origin: Plan['origin'];
  readonly mutation: Mutation;
  readonly experiment: string | null;
  /** Contents that the row brings, by digest. */
  readonly content: Contents;
  readonly version_before: string;
  readonly version_after: string;
  /** Null where it was rejected. */
  readonly executed_ms: number | null;
  readonly applied_ms: number | null;
  readonly ended_ms: number | null;
  /** Why it is in its state. */
  readonly reason: string | null;
}

export interface PlanRecord extends Plan {
  readonly expires_ms: number;
  readonly analysis: string | null;
  readonly decided_ms: number | null;
  readonly decided_by: string | null;
  readonly note: string | null;
}

export interface ExperimentRecord {
  readonly id: string;
  readonly agent: string;
  /** The mutation's id. */
  readonly row: string;
  readonly state: 'canary' | 'paused' | 'promoted' | 'withdrawn';
  readonly epoch: number;
  readonly share: number;
  readonly primary: Metric;
  readonly started_ms: number;
  /** Since when at this share: moved forward by the time spent paused. */
  readonly share_since_ms: number;
  /**
   * Real milliseconds above which a call is slow, frozen at the start; null where data was short.
   */
  readonly slow_ms: number | null;
  readonly paused_ms: number | null;
  /** All the time spent paused so far. */
  readonly paused_total_ms: number;
  /** An expiry resumes by itself, `feedback_off` with the switch, `hold` waits for a person. */
  readonly paused_by: 'expired' | 'feedback_off' | 'hold' | null;
  readonly expiries_ms: readonly number[];
  /** The gateway's hard trigger, or null. */
  readonly withheld: string | null;
  readonly evidence_max: Readonly<Partial<Record<Metric, number>>>;
  readonly judgement: JsonObject | null;
  readonly ended_ms: number | null;
}
