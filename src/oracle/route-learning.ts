import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { mergePatch } from '../core/pointer.ts';
import type { Policy } from '../core/policy.ts';
import {
  type BelievedTarget,
  believe,
  emptyBelief,
  explain,
  ROUTE_BANDIT,
  type RouteBelief,
  type RouteTable,
  tableOf,
} from '../core/routing/route-belief.ts';
import { type ModelRouterOptions, RouterOptions } from '../core/routing/router-options.ts';
import type { Feed } from '../core/state.ts';
import { type RoutedCall, routedCalls } from '../store/routed-calls.ts';
import type { Db } from '../store/rows.ts';

/** What one agent's router believes, for people. */
export interface RouterReport {
  readonly agent: string;
  readonly strategy: 'bandit';
  readonly reward: string;
  /** Rewards that it was made of, before they were discounted. */
  readonly rewards: number;
  readonly categories: readonly {
    /** '' is the agent as a whole. */
    readonly category: string;
    readonly targets: readonly (BelievedTarget & { readonly share: number })[];
  }[];
}

export interface RouteLearning {
  /** Learns what has matured, and publishes tables if any has changed. Never rejects. */
  tick(): Promise<void>;
  reports(): readonly RouterReport[];
}

export interface RouteLearningDeps {
  readonly db: Db;
  readonly log: Log;
  policy(): Policy;
  policy_ms(): number;
  publish(feed: Feed): void;
}

/** With the default discount older ones count less than 1 in 100. */
const CALLS_MAX = 5_000;
/** A table takes a tenth of a second at most: with many categories each is drawn less often. */
const CELL_DRAWS_MAX = 400_000;

/**
 * Learns an agent's routes from its stored calls. It keeps nothing: the belief is made anew of the
 * newest matured calls, so that late feedback counts, a restart forgets nothing, and equal stores
 * publish equal tables.
 */
export function createRouteLearning(deps: RouteLearningDeps): RouteLearning {
  let reports: readonly RouterReport[] = [];
  let published = '';
  return {
    async tick() {
      try {
        const learned: Learned[] = [];
        for (const [agent, options] of banditsOf(deps.policy())) {
          learned.push(await learn(deps, agent, options));
        }
        reports = learned.map(reportOf);
        const data = Object.fromEntries(learned.map(({ agent, table }) => [agent, table]));
        const text = JSON.stringify(data);
        if (text === published || learned.length === 0) return;
        published = text;
        deps.publish({ name: 'routes', epoch: deps.policy_ms(), data });
      } catch (error) {
        deps.log.warn('routes are not learned this time; the last tables stay', {
          error: messageOf(error),
        });
      }
    },
    reports: () => reports,
  };
}

interface Learned {
  readonly agent: string;
  readonly options: ModelRouterOptions;
  readonly targets: readonly string[];
  readonly belief: RouteBelief;
  readonly table: RouteTable;
}

/** Agents whose router is a bandit, and its options as the gateway compiled them. */
function banditsOf(policy: Policy): readonly (readonly [string, ModelRouterOptions])[] {
  const routers = policy.plugins.order.filter(
    (id) => policy.plugins.by[id]?.use === 'model-router',
  );
  return Object.entries(policy.agents).flatMap(([agent, entry]) =>
    routers.flatMap((id) => {
      const own = policy.plugins.by[id]?.options ?? {};
      const options = RouterOptions.safeParse(mergePatch(own, entry.plugins[id] ?? {}));
      const bandit = options.success && options.data.strategy === 'bandit';
      return bandit ? [[agent, options.data] as const] : [];
    }),
  );
}

async function learn(
  deps: RouteLearningDeps,
  agent: string,
  options: ModelRouterOptions,
): Promise<Learned> {
  const { bandit } = options;
  const { agents, targets: known } = deps.policy();
  const targets = Object.keys(agents[agent]?.targets ?? {}).filter(
    (name) => known[name]?.fallback_only === false,
  );
  const before_ms = deps.policy_ms() - 1000 * bandit.maturity_s;
  const calls = await routedCalls(deps.db, { agent, before_ms, limit: CALLS_MAX });
  const priced = bandit.latency_weight > 0 || bandit.cost_weight > 0;
  let belief = emptyBelief(priced ? 'normal' : 'beta');
  for (const call of calls) {
    const reward = rewardOf(call, options);
    if (reward === null) continue;
    belief = believe(belief, { category: call.category, target: call.target, reward }, bandit);
  }
  const cells = targets.length * (1 + Object.keys(belief.cells).length);
  const draws = Math.min(ROUTE_BANDIT.draws, Math.max(1000, Math.floor(CELL_DRAWS_MAX / cells)));
  const settings = { ...bandit, draws };
  return { agent, options, targets, belief, table: tableOf(belief, targets, settings) };
}

/** Null where the call says nothing: a rating that nobody gave is no praise. */
export function rewardOf(call: RoutedCall, { bandit, facts }: ModelRouterOptions): number | null {
  const worth = bandit.reward === 'success' ? Number(call.ok) : call.said;
  if (worth === null) return null;
  const { input_usd = 0, output_usd = 0 } = facts[call.target] ?? {};
  const usd = (input_usd * call.tokens_in + output_usd * call.tokens_out) / 1e6;
  return worth - (bandit.latency_weight * call.latency_ms) / 1000 - bandit.cost_weight * usd;
}

function reportOf({ agent, options, targets, belief, table }: Learned): RouterReport {
  const { reward, latency_weight, cost_weight, borrow } = options.bandit;
  const terms = [
    ...(latency_weight > 0 ? [` - ${latency_weight} × seconds`] : []),
    ...(cost_weight > 0 ? [` - ${cost_weight} × USD`] : []),
  ];
  return {
    agent,
    strategy: 'bandit',
    reward: `${reward}${terms.join('')}`,
    rewards: belief.rewards,
    categories: Object.entries(table.by).map(([category, shares]) => ({
      category,
      targets: explain(belief, category, targets, borrow).map((one) => ({
        ...one,
        share: shares[table.targets.indexOf(one.target)] ?? 0,
      })),
    })),
  };
}
