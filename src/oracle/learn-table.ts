import type { FeatureEffect } from '../core/routing/context-report.ts';
import type { PolicyWorth, WorthRow } from '../core/routing/policy-worth.ts';
import { type ProvenRoute, proveRoutes, sinceChanges } from '../core/routing/proven-routes.ts';
import { rewardChanges } from '../core/routing/reward-weights.ts';
import {
  type BelievedTarget,
  beliefAfter,
  explain,
  ROUTE_BANDIT,
  type RouteTable,
  tableOf,
} from '../core/routing/route-belief.ts';
import type { LearnedStrategy, ModelRouterOptions } from '../core/routing/router-options.ts';

/** What an agent's router is to learn from; rewards are oldest first. */
export interface Lesson {
  readonly agent: string;
  readonly options: ModelRouterOptions;
  readonly targets: readonly string[];
  readonly rewards: readonly {
    readonly category: string;
    readonly target: string;
    readonly reward: number;
    readonly features: string | null;
    readonly unit: string;
  }[];
  /** Rewards that do not count: older ones of users that have given many. */
  readonly left_out: number;
  /** Each choice that earned something, with its probability, whoever made it; oldest first. */
  readonly choices: readonly WorthRow[];
}

export interface LearnedRoutes {
  readonly report: RouterReport;
}

/** What one agent's router believes, for people; `published` is what gateways draw from. */
export interface RouterReport {
  readonly agent: string;
  readonly strategy: LearnedStrategy;
  readonly reward: string;
  /** Rewards that it was made of, before they were discounted. */
  readonly rewards: number;
  readonly left_out: number;
  readonly categories: readonly {
    /** '' is the agent as a whole. */
    readonly category: string;
    readonly targets: readonly (BelievedTarget & { readonly share: number })[];
  }[];
  readonly proven: readonly ProvenRoute[];
  /** With context and `stop`: whether it earns more than always one target would. */
  readonly worth?: PolicyWorth;
  /** Targets whose rewards have changed among those counted. */
  readonly changed: readonly { readonly category: string; readonly target: string }[];
  /** By target, with context: the features that tell most, and all of them. */
  readonly strongest?: Readonly<Record<string, readonly FeatureEffect[]>>;
  readonly effects?: Readonly<Record<string, readonly FeatureEffect[]>>;
  readonly published: RouteTable;
}

/** A table takes a tenth of a second at most: with many categories each is drawn less often. */
const CELL_DRAWS_MAX = 400_000;

/** Strategy `bandit`: one belief a target and category. */
export function learnTable(lesson: Lesson): LearnedRoutes {
  const { options, targets, rewards } = lesson;
  const { bandit } = options;
  const priced = bandit.latency_weight > 0 || bandit.cost_weight > 0;
  const belief = beliefAfter(priced ? 'normal' : 'beta', rewards, bandit);
  const cells = targets.length * (1 + Object.keys(belief.cells).length);
  const draws = Math.min(ROUTE_BANDIT.draws, Math.max(1000, Math.floor(CELL_DRAWS_MAX / cells)));
  const drawn = tableOf(belief, targets, { ...bandit, draws });
  const changes = rewardChanges(rewards);
  const { table, proven } =
    bandit.stop === undefined
      ? { table: drawn, proven: [] }
      : proveRoutes(sinceChanges(rewards, changes), drawn, bandit.stop, bandit.floor);
  const categories = Object.entries(table.by).map(([category, shares]) => ({
    category,
    targets: explain(belief, category, targets, bandit.borrow).map((one) => ({
      ...one,
      share: shares[table.targets.indexOf(one.target)] ?? 0,
    })),
  }));
  return {
    report: { ...headOf(lesson), categories, proven, changed: named(changes), published: table },
  };
}

const named = (changes: ReturnType<typeof rewardChanges>) =>
  changes.map(({ category, target }) => ({ category, target }));

/** What reports of all strategies begin with. */
export function headOf({ agent, options, rewards, left_out }: Lesson) {
  const { reward, latency_weight, cost_weight } = options.bandit;
  const terms = [
    ...(latency_weight > 0 ? [` - ${latency_weight} × seconds`] : []),
    ...(cost_weight > 0 ? [` - ${cost_weight} × USD`] : []),
  ];
  return {
    agent,
    strategy: options.strategy as LearnedStrategy,
    reward: `${reward}${terms.join('')}`,
    rewards: rewards.length,
    left_out,
  };
}
