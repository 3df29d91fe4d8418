import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARM_UNITS_MIN, armDifference } from '../../../src/core/routing/arm-evidence.ts';
import { createRandom } from '../../../src/core/routing/random.ts';

const sums = () => ({ n: 0, sum: 0, squares: 0 });

/**
 * Two arms that are asked by who seems better (nine of ten times); whether at any look from the
 * fiftieth reward on the second was told to be better, and whether the interval ever missed.
 */
function live(seed: number, means: readonly [number, number], rewards = 1500) {
  const random = createRandom(seed);
  const arms = [sums(), sums()] as const;
  let [claimed, missed] = [false, false];
  for (let at = 0; at < rewards; at += 1) {
    const [a, b] = arms.map(({ n, sum }) => (sum + 1) / (n + 2)) as [number, number];
    const greedy = a > b ? 0 : 1;
    const k = random.uniform() < 0.1 ? Number(random.uniform() < 0.5) : greedy;
    const arm = arms[k] as ReturnType<typeof sums>;
    const reward = Number(random.uniform() < (means[k] as number));
    arm.n += 1;
    arm.sum += reward;
    arm.squares += reward;
    if (Math.min(arms[0].n, arms[1].n) < ARM_UNITS_MIN) continue;
    const { low, high, evidence_ln } = armDifference(arms[1], arms[0], 0.05);
    const truth = means[1] - means[0];
    claimed ||= evidence_ln >= Math.log(20);
    missed ||= low > truth || high < truth;
  }
  return { claimed, missed, arms };
}

describe('armDifference', () => {
  test('is wrong in fewer than 5 of 100 trials of equal arms, looked at after every reward', () => {
    const runs = Array.from({ length: 200 }, (_, seed) => live(seed + 1, [0.5, 0.5]));
    expect(runs.filter(({ claimed }) => claimed).length).toBeLessThanOrEqual(10);
    expect(runs.filter(({ missed }) => missed).length).toBeLessThanOrEqual(10);
  });

  test('never says of a worse arm that it is better, and says so of a better one', () => {
    const worse = Array.from({ length: 50 }, (_, seed) => live(seed + 1, [0.6, 0.5]));
    expect(worse.filter(({ claimed }) => claimed).length).toBeLessThanOrEqual(2);
    const better = Array.from({ length: 50 }, (_, seed) => live(seed + 1, [0.4, 0.8]));
    expect(better.filter(({ claimed }) => claimed).length).toBeGreaterThanOrEqual(45);
  });

  test('says nothing of arms with too few rewards', () => {
    const few = { n: ARM_UNITS_MIN - 1, sum: ARM_UNITS_MIN - 1, squares: ARM_UNITS_MIN - 1 };
    const many = { n: 1000, sum: 0, squares: 0 };
    expect(armDifference(few, many, 0.05)).toMatchObject({ low: -Infinity, evidence_ln: 0 });
    expect(armDifference(sums(), many, 0.05)).toMatchObject({ estimate: 0, evidence_ln: 0 });
  });

  test('has evidence of 1/α against no difference exactly where the interval excludes it', () => {
    const arm = fc.record({
      n: fc.integer({ min: 50, max: 5000 }),
      rate: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(arm, arm, (one, other) => {
        const [left, right] = [one, other].map(({ n, rate }) => {
          const sum = Math.round(n * rate);
          return { n, sum, squares: sum };
        });
        if (!left || !right) return;
        const { low, estimate, evidence_ln } = armDifference(left, right, 0.05);
        if (estimate <= 0 || Math.abs(low) < 1e-9) return;
        expect(low > 0).toBe(evidence_ln > Math.log(20));
      }),
    );
  });
});
