import { assignCluster, type Clusters, createClusters } from './clusters.ts';
import { type CostBelief, createCostBelief, expectedCost, learnCost } from './cost-belief.ts';
import { createLinearArm, type LinearArm, learnLinear, predictLinear } from './linear-arm.ts';
import { DENSE_NAMES, FEATURES } from './prompt-features.ts';
import {
  addCategory,
  createTreeBelief,
  fadeTree,
  learnTree,
  type TreeBelief,
} from './tree-belief.ts';

/** What one of several learners believes of every arm's utility for the call at hand. */
export interface Expert {
  readonly name: 'pooled' | 'kinds' | 'linear';
  /** Fills mean and standard deviation of each arm's utility, quality - cost_weight × cost. */
  predict(x: Float64Array, means: Float64Array, deviations: Float64Array): void;
  /** Learns of the call that `predict` was last asked about. */
  learn(x: Float64Array, arm: number, quality: number, cost: number): void;
}

export interface ExpertSettings {
  readonly arms: number;
  readonly cost_weight: number;
  /** In (0, 1]; what is known counts so much less with each reward. */
  readonly discount: number;
}

/** No context: an arm is the same whatever it is asked. */
export function createPooledExpert({ arms, cost_weight, discount }: ExpertSettings): Expert {
  const tree = createTreeBelief(arms);
  const costs = createCostBelief(arms);
  addCategory(tree, 0, 0);
  return {
    name: 'pooled',
    predict: (_x, means, deviations) =>
      fill({ tree, costs, category: 0, cost_weight }, means, deviations),
    learn(_x, arm, quality, cost) {
      if (discount < 1) fadeTree(tree, discount);
      learnTree(tree, 0, arm, quality);
      learnCost(costs, 0, arm, cost);
    },
  };
}

/** Prompts fall into kinds, found as they come; see `Clusters` and `TreeBelief`. */
export interface Kinds {
  readonly clusters: Clusters;
  readonly tree: TreeBelief;
  readonly costs: CostBelief;
  category: number;
}

export function createKinds(arms: number): Kinds {
  return {
    clusters: createClusters(FEATURES),
    tree: createTreeBelief(arms),
    costs: createCostBelief(arms),
    category: 0,
  };
}

/** Once a call, before the experts that share the kinds are asked. */
export function placeCall(kinds: Kinds, x: Float64Array): void {
  kinds.category = assignCluster(kinds.clusters, likeness(x));
  addCategory(kinds.tree, kinds.category, kinds.clusters.parents[kinds.category] as number);
}

/** Once a reward, after the experts that share the kinds have learned. */
export function learnKinds(
  { tree, costs, category }: Kinds,
  arm: number,
  { quality, cost, discount }: { quality: number; cost: number; discount: number },
): void {
  if (discount < 1) fadeTree(tree, discount);
  learnTree(tree, category, arm, quality);
  learnCost(costs, category, arm, cost);
}

export function createKindsExpert(kinds: Kinds, { cost_weight }: ExpertSettings): Expert {
  return {
    name: 'kinds',
    predict: (_x, means, deviations) => fill({ ...kinds, cost_weight }, means, deviations),
    learn() {},
  };
}

/** A ridge prior of each weight, in units of the noise: about ± 0.25 a feature. */
const LAMBDA = 3;

/** What the kinds leave unexplained, by each arm's linear model of the features (LinTS, LinUCB). */
export function createLinearExpert(
  kinds: Kinds,
  { arms, cost_weight, discount }: ExpertSettings,
): Expert {
  const models: readonly LinearArm[] = Array.from({ length: arms }, () =>
    createLinearArm(FEATURES, LAMBDA),
  );
  return {
    name: 'linear',
    predict(x, means, deviations) {
      fill({ ...kinds, cost_weight }, means, deviations);
      for (let arm = 0; arm < models.length; arm += 1) {
        const model = models[arm] as LinearArm;
        if (model.n === 0) continue;
        means[arm] = (means[arm] as number) + predictLinear(model, x);
      }
    },
    learn(x, arm, quality) {
      const { tree, category } = kinds;
      const at = category * arms + arm;
      const expected = (tree.base[category] as number) + (tree.mean[at] as number);
      const model = models[arm] as LinearArm;
      learnLinear(model, x, quality - expected, 1, discount);
    },
  };
}

interface Filling {
  readonly tree: TreeBelief;
  readonly costs: CostBelief;
  readonly category: number;
  readonly cost_weight: number;
}

function fill(
  { tree, costs, category, cost_weight }: Filling,
  means: Float64Array,
  deviations: Float64Array,
): void {
  const base = tree.base[category] as number;
  for (let arm = 0; arm < tree.arms; arm += 1) {
    const at = category * tree.arms + arm;
    const cost = cost_weight === 0 ? 0 : cost_weight * expectedCost(costs, category, arm);
    means[arm] = base + (tree.mean[at] as number) - cost;
    deviations[arm] = Math.sqrt(tree.variance[at] as number);
  }
}

/** What kinds are told apart by: the hashed words first, the dense columns at less weight. */
function likeness(x: Float64Array): Float64Array {
  const seen = x.slice();
  seen[0] = 0;
  for (let at = 1; at < DENSE_NAMES.length; at += 1) seen[at] = 0.4 * (seen[at] as number);
  return seen;
}
