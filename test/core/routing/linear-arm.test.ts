import { describe, expect, test } from 'vitest';
import {
  createLinearArm,
  learnLinear,
  leverage,
  predictLinear,
} from '../../../src/core/routing/linear-arm.ts';
import { createRandom } from '../../../src/core/routing/random.ts';

describe('linear arm', () => {
  test('linear arm finds the weights that made the rewards, and doubts less with each', () => {
    const random = createRandom(5);
    const arm = createLinearArm(3, 0.1);
    const truth = [0.5, -1, 2];
    const probe = Float64Array.from([1, 1, 1]);
    let doubt = leverage(arm, probe);
    for (let row = 0; row < 300; row += 1) {
      const x = Float64Array.from([1, random.normal(), random.normal()]);
      const reward = truth.reduce((sum, w, at) => sum + w * (x[at] as number), 0);
      learnLinear(arm, x, reward + 0.1 * random.normal());
      expect(leverage(arm, probe)).toBeLessThanOrEqual(doubt + 1e-12);
      doubt = leverage(arm, probe);
    }
    for (const [at, weight] of truth.entries()) expect(arm.weights[at]).toBeCloseTo(weight, 1);
    expect(predictLinear(arm, probe)).toBeCloseTo(1.5, 1);
  });

  test('linear arm forgets: what comes later counts more, and doubt comes back', () => {
    const arm = createLinearArm(1, 1);
    const x = Float64Array.from([1]);
    for (let row = 0; row < 100; row += 1) learnLinear(arm, x, 0, 1, 0.9);
    for (let row = 0; row < 30; row += 1) learnLinear(arm, x, 1, 1, 0.9);
    expect(predictLinear(arm, x)).toBeGreaterThan(0.9);
    expect(leverage(arm, x)).toBeGreaterThan(0.05);
  });

  test('linear arm that forgets stays a number, also of features that it never sees', () => {
    const arm = createLinearArm(2, 1);
    const seen = Float64Array.from([1, 0]);
    for (let row = 0; row < 20_000; row += 1) learnLinear(arm, seen, row % 2, 1, 0.9);
    expect(Number.isFinite(predictLinear(arm, Float64Array.from([1, 1])))).toBe(true);
    expect(leverage(arm, Float64Array.from([0, 1]))).toBeLessThan(3);
  });
});
