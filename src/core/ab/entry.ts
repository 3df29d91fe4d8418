import type { JsonObject } from '../canonical.ts';
import { unitFraction } from '../unit.ts';

/**
 * An A/B experiment as the policy has it, and what two processes must compute of it alike: the unit
 * of a call and the arm of a unit.
 */
export interface AbEntry {
  readonly agent: string;
  readonly unit: AbUnit;
  /** With `control`, which sets nothing; what the shares leave over is in no arm. */
  readonly arms: Readonly<Record<string, AbArm>>;
  /** What decides. */
  readonly metric: AbMetric;
  /** Metrics that are told beside it, and decide nothing. */
  readonly also: readonly AbMetric[];
  /** How much worse an arm may be than control, as a share of control's: 0.1 is a tenth. */
  readonly guardrails: Readonly<Partial<Record<AbMetric, number>>>;
  readonly stop: AbStop;
  readonly at_end: 'report' | 'propose';
  /** The arm that all are served once it has stopped. */
  readonly on_stop: string;
  /** Another number begins it anew. */
  readonly run: number;
}

/** What is drawn: `auto` is the first that the call names of user, session and conversation. */
export type AbUnit = 'auto' | 'user' | 'session' | 'call';

export interface AbArm {
  readonly share: number;
  readonly set?: AbSet;
}

/** Over the agent: `params` and `plugins` key by key, all else whole. A prompt of null is none. */
export interface AbSet {
  readonly targets?: Readonly<Record<string, number>>;
  readonly prompt?: string | null;
  readonly adapter?: string;
  readonly params?: JsonObject;
  readonly plugins?: Readonly<Record<string, JsonObject>>;
}

export interface AbStop {
  /** The chance that anything false is said where the arms are all alike. */
  readonly alpha: number;
  /** Units of each arm, and policy hours, before a winner or a draw is told. */
  readonly units_min: number;
  readonly hours_min: number;
  /** Units of all arms, and policy days, after which it ends undecided. */
  readonly units_max: number;
  readonly days_max: number;
  /** The smallest improvement that matters; once no arm can have it, it ends. 0: never so. */
  readonly min_effect: number;
}

export type AbMetric =
  | 'rating'
  | 'success'
  | 'dissatisfied'
  | 'abort'
  | 'latency'
  | 'ttft'
  | 'cost'
  | 'tokens_out';

/** The arm that is the agent as it is: all evidence of the oracle comes from it alone. */
export const CONTROL_ARM = 'control';

/** Arms by name, control first: the order in which shares add up. */
export function armsOf(entry: Pick<AbEntry, 'arms'>): readonly (readonly [string, AbArm])[] {
  const rank = (name: string): string => (name === CONTROL_ARM ? '' : name);
  return Object.entries(entry.arms).sort(([left], [right]) => (rank(left) < rank(right) ? -1 : 1));
}

export function treatmentsOf(entry: Pick<AbEntry, 'arms'>): readonly string[] {
  return armsOf(entry).flatMap(([name]) => (name === CONTROL_ARM ? [] : [name]));
}

/** Whether an experiment's id is a run's; a canary's is `exp_…`. */
export function isRunId(id: string): boolean {
  return id.includes('@');
}

/** What a permit, a trigger and a fuse know an arm by. */
export function armKey(run: string, arm: string): string {
  return `${run}/${arm}`;
}

/** Whose call it is. */
export interface CallOfUnit {
  readonly id: string;
  readonly unit: string;
  readonly user: string | null;
  readonly session: string | null;
}

/** What is drawn for a call; null where it does not name one, and is in no arm. */
export function unitOfCall(kind: AbUnit, { id, unit, user, session }: CallOfUnit): string | null {
  if (kind === 'auto') return unit;
  if (kind === 'call') return `r:${id}`;
  const named = kind === 'user' ? user : session;
  if (named === null) return null;
  return kind === 'user' ? `u:${named}` : `s:${named}`;
}

/** The arm of a unit, or null for those that the shares leave over. The run is the salt. */
export function drawArm<Arm extends { readonly share: number }>(
  run: string,
  unit: string,
  arms: readonly Arm[],
): Arm | null {
  const u = unitFraction(run, unit);
  let sum = 0;
  for (const arm of arms) {
    sum += arm.share;
    if (u < sum) return arm;
  }
  // Shares that add up to 1 may do so a rounding short of it.
  return sum > 1 - 1e-9 ? (arms.at(-1) ?? null) : null;
}
