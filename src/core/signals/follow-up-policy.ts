/** `follow_ups` of the policy: a model that says of turns what rules leave open; absent: none. */
export interface FollowUpPolicy {
  /** The target that is asked, as the agent whose turn it is. */
  readonly target: string;
  /** Whose turns; absent: of all agents. */
  readonly agents?: readonly string[];
  /** An hour of the wall clock: what is spent is real. */
  readonly budget: { readonly calls_per_hour: number; readonly tokens_per_hour: number };
  /** Of one call; real time. */
  readonly timeout_ms: number;
  readonly tokens_max: number;
  /** Failures in a row after which it is not asked for an hour, then longer. */
  readonly failures_max: number;
}
