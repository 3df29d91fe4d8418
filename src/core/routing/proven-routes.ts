import { eValue } from '../sequential.ts';
import { armDifference } from './arm-evidence.ts';
import { type ArmSums, provenBest } from './best-arm.ts';
import { type RoutedReward, sumRewards, sumUnits } from './reward-weights.ts';
import type { RouteTable } from './route-belief.ts';

/** A target that is proven to be the best of its category; '' is of the agent as a whole. */
export interface ProvenRoute {
  readonly category: string;
  readonly target: string;
  /** Whether the table gives it all but the floors. */
  readonly exploited: boolean;
  /** What of `delta` falls on one of its comparisons: as likely is each to be wrong, at most. */
  readonly alpha: number;
  /** Units that it rests on, each once, and their mean reward. */
  readonly units: number;
  readonly mean: number;
  /** The target from which it is told apart the least, and how much more it earns than that one. */
  readonly next: {
    readonly target: string;
    readonly units: number;
    readonly mean: number;
    /** 95 % confidence sequence of the difference; null where nothing bounds it. */
    readonly interval: readonly [number, number] | null;
    /** E-value against “it earns no more”; valid whenever one looks. */
    readonly e: number;
  };
}

export interface StopRule {
  readonly delta: number;
  readonly on_proven: 'report' | 'exploit';
}

const ARM_REWARDS_NONE = { n: 0, sum: 0, squares: 0 };

/**
 * Which targets are proven best (see `provenBest`; valid whenever one looks), with `delta` shared
 * among the categories, and the table that follows. `rewards` are those since the last change, and
 * are not discounted. What the table's own draws no longer prefer is not exploited: what is recent
 * may speak against a proof before it falls.
 */
export function proveRoutes(
  rewards: readonly RoutedReward[],
  table: RouteTable,
  { delta, on_proven }: StopRule,
  floor: number,
): { readonly table: RouteTable; readonly proven: readonly ProvenRoute[] } {
  const sums = sumRewards(rewards, null);
  const byUnit = sumUnits(rewards);
  const categories = Object.keys(table.by);
  const { targets } = table;
  const least = Math.min(floor, 1 / Math.max(1, targets.length));
  const by: Record<string, readonly number[]> = { ...table.by };
  const alpha = delta / categories.length / Math.max(1, targets.length - 1);
  const proven = categories.flatMap((category): ProvenRoute[] => {
    const arms = targets.map((name) => sums.get(category)?.get(name) ?? ARM_REWARDS_NONE);
    const best = provenBest(arms, delta / categories.length);
    if (best === null) return [];
    const shares = table.by[category] as readonly number[];
    const preferred = (shares[best] as number) >= Math.max(...shares) - 1e-9;
    const exploited = on_proven === 'exploit' && preferred;
    if (exploited) {
      by[category] = targets.map((_, k) => (k === best ? 1 - (targets.length - 1) * least : least));
    }
    const target = targets[best] as string;
    const units = byUnit.get(category);
    const counted = targets.map((name) => units?.get(name) ?? ARM_REWARDS_NONE);
    return [{ category, target, exploited, alpha, ...restsOn(counted, best, targets) }];
  });
  return { table: { ...table, by }, proven };
}

/** The weakest of its comparisons, since it must win them all. */
function restsOn(
  arms: readonly ArmSums[],
  best: number,
  targets: readonly string[],
): Pick<ProvenRoute, 'units' | 'mean' | 'next'> {
  const own = arms[best] as ArmSums;
  const others = arms.map((arm, at): ProvenRoute['next'] => {
    const { low, high, evidence_ln } = armDifference(own, arm, 0.05);
    const interval = Number.isFinite(low) ? ([low, high] as const) : null;
    const target = targets[at] as string;
    return { target, units: arm.n, mean: arm.sum / arm.n, interval, e: eValue(evidence_ln) };
  });
  const next = others
    .filter((_, at) => at !== best)
    .reduce((least, one) => (one.e < least.e ? one : least));
  return { units: own.n, mean: own.sum / own.n, next };
}

/** The rewards that came after the last change of their category's targets. */
export function sinceChanges(
  rewards: readonly RoutedReward[],
  changes: readonly { readonly category: string; readonly at: number }[],
): readonly RoutedReward[] {
  const last = new Map<string, number>();
  for (const { category, at } of changes) {
    last.set(category, Math.max(at, last.get(category) ?? 0));
  }
  return rewards.filter(({ category }, at) => at >= (last.get(category) ?? 0));
}
