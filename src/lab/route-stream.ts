import { createLearner, type Learner } from '../core/routing/learner.ts';
import { promptFeatures } from '../core/routing/prompt-features.ts';
import { createRandom, type Random } from '../core/routing/random.ts';
import type { RoutePolicy } from './route-policy.ts';

/** A row of `hive lab route`, read. */
export interface GradedRow {
  readonly id: string;
  readonly prompt: string;
  readonly models: ReadonlyMap<string, { readonly quality: number; readonly cost: number }>;
}

export interface Routed {
  readonly id: string;
  readonly model: string;
  readonly propensity: number;
}

export interface RouteStream {
  /** The choice for a row, or why there is none. Of the row only the chosen model is looked at. */
  next(row: GradedRow): Routed | string;
  shares(): ReadonlyMap<string, number>;
}

/**
 * Routes row by row: the choice of a row rests on the prompt and on what was revealed of the rows
 * before it; then the chosen model's quality and cost are revealed. Keeps no row.
 */
export function createRouteStream(policy: RoutePolicy, seed: number): RouteStream {
  let state: Started | null = null;
  return {
    next(row) {
      state ??= started(policy, [...row.models.keys()], seed);
      return routed(state, policy, row);
    },
    shares: () => state?.learner?.shares() ?? new Map(),
  };
}

interface Started {
  readonly models: readonly string[];
  readonly learner: Learner | null;
  readonly random: Random;
}

function started(policy: RoutePolicy, found: readonly string[], seed: number): Started {
  const models = policy.models ?? found;
  const { strategy, cost_weight, quality } = policy;
  // The learner's quality is 0 to 1, so what quality is worth scales the cost instead.
  const weight = cost_weight / (quality || 1);
  return {
    models,
    random: createRandom(`uniform:${seed}`),
    learner:
      strategy.use === 'bandit'
        ? createLearner({ ...strategy, arms: models.length, cost_weight: weight, seed })
        : null,
  };
}

function routed(state: Started, policy: RoutePolicy, row: GradedRow): Routed | string {
  const { models, learner, random } = state;
  const allowed = models.flatMap((model, arm) => (row.models.has(model) ? [arm] : []));
  if (allowed.length === 0) return 'it has none of the models';
  if (policy.strategy.use === 'fixed') {
    const { model } = policy.strategy;
    return row.models.has(model) ? { id: row.id, model, propensity: 1 } : `it has no ${model}`;
  }
  if (learner === null) {
    const arm = allowed[Math.floor(random.uniform() * allowed.length)] as number;
    return { id: row.id, model: models[arm] as string, propensity: 1 / allowed.length };
  }
  const all = allowed.length === models.length;
  const { arm, propensity } = learner.choose(promptFeatures(row.prompt), all ? undefined : allowed);
  const model = models[arm] as string;
  const seen = row.models.get(model) as { quality: number; cost: number };
  const worth = policy.quality === 0 ? 0 : seen.quality;
  learner.learn(worth, seen.cost);
  return { id: row.id, model, propensity };
}
