import { provenBest } from './best-arm.ts';
import { type RoutedReward, sumRewards } from './reward-weights.ts';
import type { RouteTable } from './route-belief.ts';

/** A target that is proven to be the best of its category; '' is of the agent as a whole. */
export interface ProvenRoute {
  readonly category: string;
  readonly target: string;
  /** Whether the table gives it all but the floors. */
  readonly exploited: boolean;
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
  const categories = Object.keys(table.by);
  const { targets } = table;
  const least = Math.min(floor, 1 / Math.max(1, targets.length));
  const by: Record<string, readonly number[]> = { ...table.by };
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
    return [{ category, target: targets[best] as string, exploited }];
  });
  return { table: { ...table, by }, proven };
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
