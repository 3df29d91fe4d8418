import type { JsonObject } from '../core/canonical.ts';
import type { CallEvent, Relation } from '../core/event.ts';

/**
 * What the gateway remembers of its last 100,000 calls: enough to say at once what feedback is about,
 * and whether a call repeats or continues an earlier one. The worker has the last word on both.
 */
export interface RecentCalls {
  /** How this call relates to the unit's earlier ones; called once, before dispatch. */
  relate(asked: Asked): { readonly parent: string | null; readonly relation: Relation | null };
  /** The call has ended. */
  remember(event: CallEvent): void;
  /** The call that feedback names, of the same tenant, or null. */
  find(named: Named): RecentCall | null;
}

export interface Asked {
  readonly call: string;
  readonly unit: string;
  readonly body: JsonObject;
  /** `x-stainless-retry-count`, 0 where absent. */
  readonly retry_count: number;
  readonly policy_ms: number;
}

/** Exactly one way of naming a call; `session` finds the newest finished one within 30 minutes. */
export interface Named {
  readonly tenant: string;
  readonly call?: string | null;
  readonly completion_id?: string | null;
  readonly request_id?: string | null;
  readonly session?: string | null;
  readonly key?: string | null;
  readonly agent?: string | null;
  readonly policy_ms: number;
}

export interface RecentCall {
  readonly id: string;
  readonly at_ms: number;
  readonly agent: string;
  readonly experiment: string | null;
  readonly arm: string | null;
}
