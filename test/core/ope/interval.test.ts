import { describe, expect, test } from 'vitest';
import { momentsOf, skewedInterval, steadied } from '../../../src/core/ope/interval.ts';

describe('skewedInterval', () => {
  test("skewedInterval of a sum without skew is Wald's", () => {
    const [low, high] = skewedInterval(5, { se: 2, skew: 0 });
    expect([low, high]).toEqual([5 - 1.959963984540054 * 2, 5 + 1.959963984540054 * 2]);
  });

  test("skewedInterval of a Poisson count is Jeffreys'", () => {
    // Quantiles 2.5 and 97.5 % of Gamma(10.5): 5.14 and 17.74.
    const [low, high] = skewedInterval(10, { se: Math.sqrt(10), skew: 1 / Math.sqrt(10) });
    expect(low).toBeCloseTo(5.14, 0);
    expect(high).toBeCloseTo(17.74, 0);
  });

  test('skewedInterval of a negative skew is the mirror image', () => {
    const [low, high] = skewedInterval(0, { se: 1, skew: 0.4 });
    expect(skewedInterval(0, { se: 1, skew: -0.4 })).toEqual([-high, -low]);
  });
});

describe('momentsOf', () => {
  test('momentsOf adds up a cluster before it squares', () => {
    const influence = Float64Array.of(1, 1, -1, -1);
    const alone = momentsOf(influence, null, null);
    const order = Uint32Array.of(0, 1, 2, 3);
    const pairs = momentsOf(influence, Uint32Array.of(7, 7, 9, 9), order);
    expect(alone.se).toBeCloseTo(Math.sqrt((4 * 4) / 3) / 4, 12);
    expect(pairs.se).toBeCloseTo(Math.sqrt((8 * 2) / 1) / 4, 12);
  });
});

describe('steadied', () => {
  test('steadied widens what few events say, and narrows nothing', () => {
    const wide = { se: 3, skew: 0.5 };
    const narrow = { se: 1, skew: 0.1 };
    expect(steadied(narrow, wide, 2).se).toBeGreaterThan(2);
    expect(steadied(narrow, wide, 1e6).se).toBeCloseTo(1, 3);
    expect(steadied(wide, narrow, 2)).toBe(wide);
  });
});
