import type { ExperimentRecord } from './ledger.ts';
import type { Metric } from './oracle.ts';

/** What the monitor judges a canary by, and what it says. */

/** Units of an arm that find its caches empty: a prefix, an adapter, a connection. */
export const COLD_UNITS = 5;

/** Below 72 values no order statistic bounds a 95th percentile. */
const SLOW_CALLS_MIN = 72;

/** Milliseconds above which a call is slow, by the 95th percentile of so many; null of too few. */
export function slowAbove(p95_ms: number, count: number): number | null {
  return count < SLOW_CALLS_MIN ? null : Math.max(1.25 * p95_ms, p95_ms + 50);
}

/**
 * Feedback matures before it promotes or plans anything: the pleased and the angry rate at other
 * speeds, so of the newest calls mostly the angry have spoken.
 */
export const MATURITY_MS = 30 * 60_000;

export type Arm = 'canary' | 'control';

/** Units counted once each: at the arm and share of the unit's first event of the metric. */
export interface Cell {
  readonly metric: Metric | 'assigned' | 'rated';
  readonly share: number;
  readonly arm: Arm;
  readonly units: number;
  /** Those among them whose call is older than the maturity window. */
  readonly matured: number;
}

/** What monitor judges a canary by. */
export interface CanaryStats {
  readonly experiment: string;
  readonly agent: string;
  readonly share: number;
  readonly primary: Metric;
  readonly started_ms: number;
  /** When the present share began, without the time spent paused. */
  readonly share_since_ms: number;
  readonly cells: readonly Cell[];
  /** The largest evidence of harm so far, by metric: an e-value that has passed stays passed. */
  readonly evidence_max: Readonly<Partial<Record<Metric, number>>>;
  /** Policy time of the newest canary event, and control units since then at this share. */
  readonly canary_last_ms: number | null;
  readonly control_units_since: number;
  /** Units that the canary arm served; `assigned` counts a returning one where it was first. */
  readonly canary_units: number;
  readonly canary_units_at_share: number;
  /**
   * Units of both arms that in the last 24 h came to this share for the first time, came to the
   * experiment for the first time, and showed the primary metric for the first time. Null where
   * half of those hours passed without a call at this share: frozen, paused or without traffic,
   * nobody knows who would have come.
   */
  readonly arrivals: {
    readonly at_share: number;
    readonly in_all: number;
    readonly primary: number;
  } | null;
  /** Distinct users who complained about canary answers within the trigger's window. */
  readonly complaints: number;
  /** A trigger that the gateway reported, or null. */
  readonly withheld: string | null;
  /** Expiries of the permit in the last 24 h. */
  readonly expiries: number;
}

export interface Judgement {
  readonly action: 'continue' | 'ramp' | 'promote' | 'revert' | 'inconclusive' | 'hold';
  /** The next share, for `ramp`. */
  readonly share?: number;
  readonly reason: string;
  /** Evidence (e-value) of harm by metric, and of improvement of the primary metric. */
  readonly harm: Readonly<Partial<Record<Metric, number>>>;
  readonly improvement: number;
}

const DAY_MS = 86_400_000;

/** What of a canary's statistics its own record says. */
export function statsInRecord(
  experiment: ExperimentRecord,
  at_ms: number,
): Pick<
  CanaryStats,
  | 'experiment'
  | 'agent'
  | 'share'
  | 'primary'
  | 'started_ms'
  | 'share_since_ms'
  | 'evidence_max'
  | 'withheld'
  | 'expiries'
> {
  return {
    experiment: experiment.id,
    agent: experiment.agent,
    share: experiment.share,
    primary: experiment.primary,
    started_ms: experiment.started_ms + experiment.paused_total_ms,
    share_since_ms: experiment.share_since_ms,
    evidence_max: experiment.evidence_max,
    withheld: experiment.withheld,
    expiries: experiment.expiries_ms.filter((expiry) => expiry > at_ms - DAY_MS).length,
  };
}
