import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { mergePatch } from '../core/pointer.ts';
import type { Policy } from '../core/policy.ts';
import { costOf } from '../core/price.ts';
import {
  isContextual,
  LEARNED,
  type ModelRouterOptions,
  RouterOptions,
} from '../core/routing/router-options.ts';
import { statedPrice, type TargetFacts } from '../core/routing/target-facts.ts';
import { cappedByUnit } from '../core/routing/user-cap.ts';
import type { Feed } from '../core/state.ts';
import { createRoutedReader, type RoutedCall, type RoutedReader } from '../store/routed-calls.ts';
import type { Db } from '../store/rows.ts';
import { learnContext } from './learn-context.ts';
import { type LearnedRoutes, type Lesson, learnTable, type RouterReport } from './learn-table.ts';

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
const REWARDS_MAX = 5_000;
/** Choices looked at for them: a user whose older ones do not count must not push others out. */
const CALLS_MAX = 10_000;

/**
 * Learns an agent's routes from its stored calls. It stores nothing: the belief is made anew of the
 * newest matured calls, so that late feedback counts, a restart forgets nothing, and equal stores
 * publish equal tables.
 */
export function createRouteLearning(deps: RouteLearningDeps): RouteLearning {
  const learned = new Map<string, Kept>();
  const reader = createRoutedReader(deps.db);
  let published = '';
  return {
    async tick() {
      try {
        const routers = routersOf(deps.policy());
        for (const [agent, options] of routers) {
          const lesson = await lessonOf(deps, reader, agent, options);
          const before = learned.get(agent);
          if (before !== undefined && isSame(before.lesson, lesson)) continue;
          const routes = isContextual(options.strategy) ? learnContext(lesson) : learnTable(lesson);
          tellProven(deps.log, agent, before?.routes.report, routes.report);
          learned.set(agent, { lesson, routes });
        }
        for (const agent of learned.keys()) {
          if (!routers.some(([name]) => name === agent)) learned.delete(agent);
        }
        if (learned.size === 0) return;
        const data = Object.fromEntries(
          [...learned].map(([agent, { routes }]) => [agent, routes.report.published]),
        );
        const text = JSON.stringify(data);
        if (text === published) return;
        published = text;
        deps.publish({ name: 'routes', epoch: deps.policy_ms(), data });
      } catch (error) {
        deps.log.warn('routes are not learned this time; the last tables stay', {
          error: messageOf(error),
        });
      }
    },
    reports: () => [...learned.values()].map(({ routes }) => routes.report),
  };
}

interface Kept {
  readonly lesson: Lesson;
  readonly routes: LearnedRoutes;
}

/** Agents whose router learns, and its options as the gateway compiled them. */
function routersOf(policy: Policy): readonly (readonly [string, ModelRouterOptions])[] {
  const routers = policy.plugins.order.filter(
    (id) => policy.plugins.by[id]?.use === 'model-router',
  );
  return Object.entries(policy.agents).flatMap(([agent, entry]) =>
    routers.flatMap((id) => {
      const own = policy.plugins.by[id]?.options ?? {};
      const options = RouterOptions.safeParse(mergePatch(own, entry.plugins[id] ?? {}));
      const learns = options.success && LEARNED.some((one) => one === options.data.strategy);
      return learns ? [[agent, options.data] as const] : [];
    }),
  );
}

async function lessonOf(
  deps: RouteLearningDeps,
  reader: RoutedReader,
  agent: string,
  options: ModelRouterOptions,
): Promise<Lesson> {
  const { bandit } = options;
  const { agents, targets: known } = deps.policy();
  const targets = Object.keys(agents[agent]?.targets ?? {}).filter(
    (name) => known[name]?.fallback_only === false,
  );
  const before_ms = deps.policy_ms() - 1000 * bandit.maturity_s;
  const calls = await reader.read({
    agent,
    before_ms,
    limit: CALLS_MAX,
    options: targets.length,
  });
  const rewarded = calls.flatMap((call) => {
    const { unit, features, category, target, probability } = call;
    const reward = rewardOf(call, options);
    return reward === null ? [] : [{ unit, features, category, target, reward, probability }];
  });
  const rewards = cappedByUnit(rewarded, bandit.user_max).slice(-REWARDS_MAX);
  const left_out = rewarded.length - rewards.length;
  return { agent, options, targets, rewards, left_out, choices: rewarded };
}

/** Whether there is nothing new to learn: most looks find nothing. */
function isSame(before: Lesson, now: Lesson): boolean {
  return (
    before.rewards.length === now.rewards.length &&
    before.choices.length === now.choices.length &&
    before.targets.join() === now.targets.join() &&
    JSON.stringify(before.options) === JSON.stringify(now.options) &&
    now.rewards.every((one, at) => {
      const other = before.rewards[at];
      return (
        one.reward === other?.reward &&
        one.target === other.target &&
        one.category === other.category &&
        one.features === other.features
      );
    })
  );
}

/** Null where the call says nothing: a rating that nobody gave is no praise. */
export function rewardOf(
  call: Omit<RoutedCall, 'id' | 'at_ms' | 'unit' | 'features' | 'probability'>,
  { bandit, facts }: ModelRouterOptions,
): number | null {
  const worth = bandit.reward === 'success' ? Number(call.ok) : call.said;
  if (worth === null) return null;
  const usd = call.cost_usd ?? statedCost(call, facts[call.target]);
  return worth - (bandit.latency_weight * call.latency_ms) / 1000 - bandit.cost_weight * usd;
}

/** By what the router is told of the target; what nobody has priced costs nothing. */
function statedCost(
  { tokens_in, tokens_out }: Pick<RoutedCall, 'tokens_in' | 'tokens_out'>,
  facts: TargetFacts | undefined,
): number {
  const price = facts === undefined ? null : statedPrice(facts);
  if (price === null) return 0;
  return costOf(price, { in: tokens_in, cached: 0, out: tokens_out, estimated: false });
}

/** What is proven is news once. */
function tellProven(
  log: Log,
  agent: string,
  before: RouterReport | undefined,
  now: RouterReport,
): void {
  for (const { category, target, exploited } of now.proven) {
    const known = before?.proven.some((one) => one.category === category && one.target === target);
    if (!known)
      log.info('a target is proven to be the best', { agent, category, target, exploited });
  }
  const { verdict = null, target = null } = now.worth ?? {};
  if (verdict === null || verdict === before?.worth?.verdict) return;
  const said = verdict === 'context' ? 'a router earns more than each target' : WORTH_ONE;
  log.info(said, { agent, target });
}

const WORTH_ONE = 'a router earns less than one of its targets would alone';
