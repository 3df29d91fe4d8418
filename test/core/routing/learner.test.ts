import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignCluster, createClusters } from '../../../src/core/routing/clusters.ts';
import {
  createCostBelief,
  expectedCost,
  learnCost,
} from '../../../src/core/routing/cost-belief.ts';
import { createKinds, createKindsExpert, placeCall } from '../../../src/core/routing/experts.ts';
import { createLearner, LEARNER_DEFAULTS, RULES } from '../../../src/core/routing/learner.ts';
import { promptFeatures } from '../../../src/core/routing/prompt-features.ts';
import { createRandom } from '../../../src/core/routing/random.ts';
import {
  addCategory,
  createTreeBelief,
  fadeTree,
  learnTree,
} from '../../../src/core/routing/tree-belief.ts';

describe('tree belief', () => {
  const at = (category: number, arm: number, arms = 2): number => category * arms + arm;

  test('tree belief lets a cold category borrow from its kind, and a warm one depart', () => {
    const belief = createTreeBelief(2);
    addCategory(belief, 0, 0);
    addCategory(belief, 1, 0);
    for (let row = 0; row < 200; row += 1) {
      learnTree(belief, 0, 0, 1);
      learnTree(belief, 0, 1, 0);
    }
    const lead = (category: number): number =>
      (belief.mean[at(category, 0)] as number) - (belief.mean[at(category, 1)] as number);
    expect(lead(1)).toBeGreaterThan(0.3);
    const doubt = belief.variance[at(1, 0)] as number;
    for (let row = 0; row < 200; row += 1) {
      learnTree(belief, 1, 0, 0);
      learnTree(belief, 1, 1, 1);
    }
    expect(lead(1)).toBeLessThan(-0.5);
    expect(lead(0)).toBeGreaterThan(0.5);
    expect(belief.variance[at(1, 0)]).toBeLessThan(doubt);
  });

  test('tree belief does not praise an arm for having been asked what is easy', () => {
    const random = createRandom(4);
    const belief = createTreeBelief(2);
    addCategory(belief, 0, 0);
    addCategory(belief, 1, 1);
    // Arm 1 is better by 0.1 everywhere; arm 0 is mostly asked the easy category.
    for (let row = 0; row < 4000; row += 1) {
      const category = row % 2;
      const arm = random.uniform() < 0.9 ? category : 1 - category;
      const rate = (category === 0 ? 0.8 : 0.2) + 0.1 * arm;
      learnTree(belief, category, arm, random.uniform() < rate ? 1 : 0);
    }
    for (const category of [0, 1]) {
      const [left, right] = [belief.mean[at(category, 0)], belief.mean[at(category, 1)]];
      expect((right as number) - (left as number)).toBeGreaterThan(0.02);
    }
  });

  test('tree belief that fades is in doubt again', () => {
    const belief = createTreeBelief(2);
    addCategory(belief, 0, 0);
    for (let row = 0; row < 300; row += 1) learnTree(belief, 0, row % 2, 1);
    const sure = belief.variance[0] as number;
    for (let step = 0; step < 3000; step += 1) fadeTree(belief, 0.999);
    learnTree(belief, 0, 0, 1);
    expect(belief.variance[0]).toBeGreaterThan(2 * sure);
  });
});

describe('clusters', () => {
  test('clusters tell kinds of prompts apart, and one oddity founds none', () => {
    const clusters = createClusters(3);
    const near = (x: number, y: number, z: number) => Float64Array.from([x, y, z]);
    const kinds = [near(1, 0, 0), near(0, 1, 0)].map((centre) => centre);
    const seen = Array.from({ length: 40 }, (_, row) =>
      assignCluster(clusters, kinds[row % 2] as Float64Array),
    );
    expect(new Set(seen.slice(-10)).size).toBe(2);
    const known = clusters.fine.centres.length;
    assignCluster(clusters, near(0, 0, 1));
    expect(clusters.fine.centres.length).toBe(known);
    assignCluster(clusters, near(0, 0.02, 1));
    expect(clusters.fine.centres.length).toBe(known + 1);
    expect(clusters.parents).toHaveLength(known + 1);
  });
});

describe('cost belief', () => {
  test('cost belief knows a price after one call, and a category’s size for all arms', () => {
    const costs = createCostBelief(2);
    learnCost(costs, 0, 0, 0.01);
    learnCost(costs, 0, 1, 1);
    expect(expectedCost(costs, 0, 1) / expectedCost(costs, 0, 0)).toBeGreaterThan(20);
    for (let call = 0; call < 50; call += 1) learnCost(costs, 1, 0, 0.05);
    // Nobody asked arm 1 there, but answers are long there.
    expect(expectedCost(costs, 1, 1)).toBeGreaterThan(2 * expectedCost(costs, 0, 1));
  });
});

describe('learner', () => {
  const easy = promptFeatures('Translate this sentence into French, please: good morning');
  const code = promptFeatures('def f(x): return {x: [1]}; # fix_this function = {y}');

  test('learner takes each prompt to who is good at it, by any rule', () => {
    for (const rule of RULES) {
      expect(rightOf(rule), rule).toBeGreaterThan(rule === 'top-two' ? 150 : 300);
    }
  });

  function rightOf(rule: (typeof RULES)[number]): number {
    const random = createRandom(rule);
    const learner = createLearner({ ...LEARNER_DEFAULTS, arms: 3, rule, seed: 2 });
    let right = 0;
    for (let row = 0; row < 1200; row += 1) {
      const isCode = random.uniform() < 0.5;
      const { arm } = learner.choose(isCode ? code : easy);
      const good = arm === (isCode ? 1 : 0);
      if (row >= 800 && good) right += 1;
      learner.learn(random.uniform() < (good ? 0.9 : 0.4) ? 1 : 0, 0);
    }
    const shares = [...learner.shares().values()];
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    return right;
  }

  test('learner keeps its floor and its propensities within (0, 1], among the arms allowed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.constantFrom(...RULES),
        (rows, rule) => {
          const settings = { ...LEARNER_DEFAULTS, arms: 4, rule, floor: 0.03, cost_weight: 2 };
          const learner = createLearner(settings);
          for (const [without, quality] of rows) {
            const allowed = [0, 1, 2, 3].filter((arm) => arm !== without);
            const { arm, propensity } = learner.choose(easy, allowed);
            expect(allowed).toContain(arm);
            expect(propensity).toBeGreaterThanOrEqual(0.03 - 1e-9);
            expect(propensity).toBeLessThanOrEqual(1 + 1e-9);
            learner.learn(quality, quality);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('learner learns of choices alone', () => {
    const learner = createLearner({ ...LEARNER_DEFAULTS, arms: 2 });
    expect(() => learner.learn(1, 0)).toThrow(RangeError);
  });

  test('an expert by kinds predicts utility: quality less what it costs', () => {
    const kinds = createKinds(2);
    const settings = { arms: 2, cost_weight: 10, discount: 1 };
    const expert = createKindsExpert(kinds, settings);
    placeCall(kinds, easy);
    learnCost(kinds.costs, kinds.category, 1, 0.05);
    const means = new Float64Array(2);
    expert.predict(easy, means, new Float64Array(2));
    expect((means[1] as number) - (means[0] as number)).toBeLessThanOrEqual(0);
    expect(means[1]).toBeCloseTo(0.5 - 10 * 0.05, 1);
  });
});
