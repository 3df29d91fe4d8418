import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, test } from 'vitest';
import { signEvidence } from '../../../src/core/statistics/sign-evidence.ts';

/** Chances in [0, 1) of a fixed seed. */
function draws(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => (generator.next() >>> 0) / 2 ** 32;
}

/** Whether the evidence ever reaches 20 over so many pairs that are won with the chance. */
function everSure(chance: number, pairs: number, draw: () => number): number | null {
  let wins = 0;
  for (let n = 1; n <= pairs; n += 1) {
    if (draw() < chance) wins += 1;
    if (signEvidence(wins, n - wins) >= 20) return n;
  }
  return null;
}

describe('signEvidence', () => {
  test('signEvidence starts at 1 and knows both directions', () => {
    expect(signEvidence(0, 0)).toBeCloseTo(1);
    expect(signEvidence(7, 0)).toBeGreaterThan(20);
    expect(signEvidence(6, 0)).toBeLessThan(20);
    expect(signEvidence(5, 5)).toBeLessThan(1);
    expect(Number.isFinite(signEvidence(5000, 0))).toBe(true);
  });

  test('signEvidence is a martingale at ½: its mean over the next pair is itself', () => {
    for (const [wins, losses] of [
      [0, 0],
      [3, 1],
      [10, 12],
    ] as const) {
      const next = (signEvidence(wins + 1, losses) + signEvidence(wins, losses + 1)) / 2;
      expect(next).toBeCloseTo(signEvidence(wins, losses), 9);
    }
  });

  test('signEvidence is sure of an equal in at most 5 % of 2,000 runs, looked at each pair', () => {
    const draw = draws(41);
    const wrong = Array.from({ length: 2000 }, () => everSure(0.5, 200, draw)).filter(Boolean);
    expect(wrong.length / 2000).toBeLessThanOrEqual(0.05);
  });

  test('signEvidence is sure of one that wins 80 % within 60 pairs, nearly always', () => {
    const draw = draws(43);
    const runs = Array.from({ length: 400 }, () => everSure(0.8, 60, draw));
    const found = runs.filter((n) => n !== null).toSorted((a, b) => a - b);
    expect(found.length).toBeGreaterThan(380);
    expect(found[Math.floor(found.length / 2)]).toBeLessThan(25);
  });
});
