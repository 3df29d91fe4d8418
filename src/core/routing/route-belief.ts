import { floored, thompsonProbabilities, topTwoProbabilities } from './arm-probabilities.ts';
import type { ContextModel } from './context-model.ts';
import {
  BETA_PRIOR,
  borrowed,
  deviationOf,
  meanOf,
  NORMAL_PRIOR,
  type Posterior,
  posteriorAfter,
} from './posterior.ts';
import { createRandom } from './random.ts';
import { type RoutedReward, rewardWeights, sumRewards } from './reward-weights.ts';

/**
 * What is believed of an agent's targets, by category: one value an agent, plain JSON, so that it
 * can be stored, exported and read. The agent's own level is the category ''.
 */
export interface RouteBelief {
  readonly reward: 'beta' | 'normal';
  readonly cells: Readonly<Record<string, Readonly<Record<string, Posterior>>>>;
  /** Rewards learned in all; a table's seed, so that equal beliefs give equal tables. */
  readonly rewards: number;
}

export interface RouteBanditSettings {
  readonly rule: 'thompson' | 'top-two';
  /** Each reward makes what was known count so much; 0.999 halves in 693 rewards. */
  readonly discount: number;
  /** The least probability of a target, where all can have it. */
  readonly floor: number;
  /** Rewards that the agent's belief counts for in a category. */
  readonly borrow: number;
  readonly draws: number;
}

export const ROUTE_BANDIT: RouteBanditSettings = {
  rule: 'thompson',
  discount: 0.999,
  floor: 0.02,
  borrow: 20,
  draws: 10_000,
};

const AGENT = '';

const priorOf = ({ reward }: Pick<RouteBelief, 'reward'>): Posterior =>
  reward === 'beta' ? BETA_PRIOR : NORMAL_PRIOR;

/**
 * The belief after matured rewards, oldest first: in each category and for the agent as a whole.
 * What is old counts less, and what was before a change hardly; see `rewardWeights`.
 */
export function beliefAfter(
  reward: RouteBelief['reward'],
  rewards: readonly RoutedReward[],
  { discount }: Pick<RouteBanditSettings, 'discount'> = ROUTE_BANDIT,
): RouteBelief {
  const prior = priorOf({ reward });
  const cells: Record<string, Record<string, Posterior>> = {};
  for (const [category, arms] of sumRewards(rewards, rewardWeights(rewards, discount))) {
    const believed: Record<string, Posterior> = {};
    for (const [target, sums] of arms) believed[target] = posteriorAfter(prior, sums);
    cells[category] = believed;
  }
  return { reward, cells, rewards: rewards.length };
}

/** What is believed of a target in a category: its own rewards, and what it borrows. */
export function beliefOf(
  belief: RouteBelief,
  category: string,
  target: string,
  borrow = ROUTE_BANDIT.borrow,
): Posterior {
  const prior = priorOf(belief);
  const agent = belief.cells[AGENT]?.[target] ?? prior;
  if (category === AGENT) return agent;
  const cell = belief.cells[category]?.[target] ?? prior;
  // It cannot borrow more than the agent has: a target that nobody tried stays in doubt.
  const lent = agent.kind === 'beta' ? agent.alpha + agent.beta - 2 : agent.n - 1;
  const strength = Math.min(borrow, Math.max(0, lent));
  return strength > 0 ? borrowed(cell, agent, strength) : cell;
}

/** A table that gateways sample from: relative weights of targets by category. */
export interface RouteTable {
  readonly targets: readonly string[];
  /** '' is for a category that the table does not name. */
  readonly by: Readonly<Record<string, readonly number[]>>;
  /** What a contextual router draws from instead; `by` is then empty. */
  readonly model?: ContextModel;
}

/** The probabilities of all categories that are known: equal beliefs give equal tables. */
export function tableOf(
  belief: RouteBelief,
  targets: readonly string[],
  settings: RouteBanditSettings = ROUTE_BANDIT,
): RouteTable {
  const { rule, floor, borrow, draws } = settings;
  // In order of their names, so that the draws do not depend on how the policy lists them.
  const sorted = [...targets].sort();
  const by: Record<string, readonly number[]> = {};
  for (const category of [AGENT, ...Object.keys(belief.cells).filter((name) => name !== AGENT)]) {
    const arms = sorted.map((target) => beliefOf(belief, category, target, borrow));
    const random = createRandom(`${category}:${belief.rewards}`);
    const thompson = thompsonProbabilities(arms, random, draws);
    by[category] = floored(rule === 'top-two' ? topTwoProbabilities(thompson) : thompson, floor);
  }
  return { targets: sorted, by };
}

/** One line of what is believed, for people: 95 % of the doubt is between low and high. */
export interface BelievedTarget {
  readonly target: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Rewards that still count. */
  readonly n: number;
}

export function explain(
  belief: RouteBelief,
  category: string,
  targets: readonly string[],
  borrow = ROUTE_BANDIT.borrow,
): readonly BelievedTarget[] {
  return targets.map((target) => {
    const arm = beliefOf(belief, category, target, borrow);
    const own = belief.cells[category]?.[target] ?? priorOf(belief);
    const mean = meanOf(arm);
    const reach = 1.96 * deviationOf(arm);
    const within = (value: number): number =>
      belief.reward === 'beta' ? Math.min(1, Math.max(0, value)) : value;
    const n = own.kind === 'beta' ? own.alpha + own.beta - 2 : own.n - 1;
    return { target, mean, low: within(mean - reach), high: within(mean + reach), n };
  });
}
