import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  argmax,
  floored,
  inverseGapWeights,
  thompsonProbabilities,
  topTwoProbabilities,
} from '../../../src/core/routing/arm-probabilities.ts';
import {
  BETA_PRIOR,
  borrowed,
  deviationOf,
  meanOf,
  NORMAL_PRIOR,
  type Posterior,
  posteriorAfter,
} from '../../../src/core/routing/posterior.ts';
import { createRandom } from '../../../src/core/routing/random.ts';

const sumOf = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);
const learned = (prior: Posterior, rewards: readonly number[]): Posterior =>
  posteriorAfter(prior, {
    n: rewards.length,
    sum: sumOf(rewards),
    squares: sumOf(rewards.map((one) => one * one)),
  });
const weightsArb = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 })
  .map((list) => list.map((one) => one / sumOf(list)));

describe('posterior', () => {
  test('posterior of a reward in 0 to 1 counts successes, fractions too', () => {
    expect(learned(BETA_PRIOR, [1, 0, 0.5])).toEqual({ kind: 'beta', alpha: 2.5, beta: 2.5 });
  });

  test('posterior of any reward has the mean of the rewards and of the prior’s one', () => {
    const seen = learned(NORMAL_PRIOR, [2, 4]);
    expect(meanOf(seen)).toBeCloseTo((0.5 + 2 + 4) / 3, 12);
    expect(deviationOf(learned(NORMAL_PRIOR, Array(400).fill(1)))).toBeLessThan(0.02);
  });

  test('posterior of rewards that hardly count any more is its prior', () => {
    for (const prior of [BETA_PRIOR, NORMAL_PRIOR]) {
      const of = (n: number) => posteriorAfter(prior, { n, sum: n, squares: n });
      expect(deviationOf(of(25))).toBeGreaterThan(deviationOf(of(50)));
      expect(meanOf(of(1e-9))).toBeCloseTo(0.5, 6);
      expect(of(0)).toEqual(prior);
    }
  });

  test('posterior of a cold category is the agent’s, and of a warm one its own', () => {
    const agent = learned(BETA_PRIOR, Array(400).fill(1));
    expect(meanOf(borrowed(BETA_PRIOR, agent, 20))).toBeGreaterThan(0.99);
    const own = learned(BETA_PRIOR, Array(400).fill(0));
    expect(meanOf(borrowed(own, agent, 20))).toBeLessThan(0.06);
  });

  test('posterior refuses a reward that is no number', () => {
    expect(() => learned(BETA_PRIOR, [Number.NaN])).toThrow(RangeError);
  });
});

describe('arm probabilities', () => {
  test('arm probabilities of Thompson add up to 1 and prefer what did better', () => {
    const arms = [learned(BETA_PRIOR, [1, 1, 1, 0]), learned(BETA_PRIOR, [0, 0, 1, 0])];
    const [good = 0, bad = 0] = thompsonProbabilities(arms, createRandom(3));
    expect(good + bad).toBeCloseTo(1, 12);
    // P(Beta(4,2) > Beta(2,4)) is 0.8968 by summation.
    expect(good).toBeGreaterThan(0.88);
    expect(good).toBeLessThan(0.915);
  });

  test('arm probabilities are decided by the seed', () => {
    const arms = [BETA_PRIOR, learned(BETA_PRIOR, [1])];
    expect(thompsonProbabilities(arms, createRandom(9), 500)).toEqual(
      thompsonProbabilities(arms, createRandom(9), 500),
    );
  });

  test('arm probabilities of the two best add up to 1 and move towards the second', () => {
    fc.assert(
      fc.property(weightsArb, (p) => {
        expect(sumOf(topTwoProbabilities(p))).toBeCloseTo(1, 9);
      }),
    );
    const [first = 0, second = 0] = topTwoProbabilities([0.9, 0.09, 0.01]);
    expect(first).toBeLessThan(0.6);
    expect(second).toBeGreaterThan(0.3);
    expect(topTwoProbabilities([1, 0])).toEqual([0.5, 0.5]);
  });

  test('arm probabilities keep their floor, add up to 1 and keep their order', () => {
    fc.assert(
      fc.property(weightsArb, fc.double({ min: 0, max: 0.3, noNaN: true }), (p, floor) => {
        const least = Math.min(floor, 1 / p.length);
        const raised = floored(p, floor);
        expect(sumOf(raised)).toBeCloseTo(1, 9);
        expect(Math.min(...raised)).toBeGreaterThanOrEqual(least - 1e-12);
        expect(raised[argmax(p)]).toBeGreaterThanOrEqual(Math.max(...raised) - 1e-12);
      }),
    );
  });

  test('arm probabilities by the inverse gap add up to 1 and fall with the gap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 1e4, noNaN: true }),
        (values, gamma) => {
          const weights = inverseGapWeights(values, gamma);
          expect(sumOf(weights)).toBeCloseTo(1, 9);
          expect(weights[argmax(values)]).toBeGreaterThanOrEqual(Math.max(...weights) - 1e-9);
          expect(Math.min(...weights)).toBeGreaterThan(0);
        },
      ),
    );
  });
});
