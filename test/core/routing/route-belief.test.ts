import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { provenBest } from '../../../src/core/routing/best-arm.ts';
import { meanOf } from '../../../src/core/routing/posterior.ts';
import type { RoutedReward } from '../../../src/core/routing/reward-weights.ts';
import {
  beliefAfter,
  beliefOf,
  explain,
  type RouteBelief,
  tableOf,
} from '../../../src/core/routing/route-belief.ts';
import { FEWER_DRAWS, runWorld } from './route-world.ts';

const seenArb = fc.record({
  category: fc.constantFrom('', 'code', 'chat'),
  target: fc.constantFrom('a', 'b', 'c'),
  reward: fc.double({ min: 0, max: 1, noNaN: true }),
});
const believed = (seen: readonly RoutedReward[]): RouteBelief => beliefAfter('beta', seen);
const times = (n: number, category: string, target: string, reward: number) =>
  Array.from({ length: n }, () => ({ category, target, reward }));

describe('route belief', () => {
  test('route belief gives each category a table that adds up to 1 and keeps the floor', () => {
    fc.assert(
      fc.property(fc.array(seenArb, { maxLength: 30 }), (seen) => {
        const { by } = tableOf(believed(seen), ['a', 'b', 'c'], FEWER_DRAWS);
        for (const weights of Object.values(by)) {
          expect(weights.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
          expect(Math.min(...weights)).toBeGreaterThanOrEqual(0.02 - 1e-12);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('route belief gives the same table however the targets are listed, and after JSON', () => {
    fc.assert(
      fc.property(fc.array(seenArb, { maxLength: 20 }), (seen) => {
        const belief = believed(seen);
        const table = tableOf(belief, ['a', 'b', 'c'], FEWER_DRAWS);
        expect(tableOf(belief, ['c', 'a', 'b'], FEWER_DRAWS)).toEqual(table);
        const stored = JSON.parse(JSON.stringify(belief)) as RouteBelief;
        expect(tableOf(stored, ['a', 'b', 'c'], FEWER_DRAWS)).toEqual(table);
      }),
      { numRuns: 20 },
    );
  });

  test('route belief of a cold category is the agent’s, until it learns otherwise', () => {
    const before = [...times(200, 'chat', 'a', 1), ...times(200, 'chat', 'b', 0)];
    const belief = believed(before);
    expect(meanOf(beliefOf(belief, 'code', 'a'))).toBeGreaterThan(0.9);
    const more = [...times(80, 'code', 'a', 0), ...times(80, 'code', 'b', 1)];
    const both = believed([...before, ...more]);
    expect(meanOf(beliefOf(both, 'code', 'a'))).toBeLessThan(0.35);
    expect(meanOf(beliefOf(both, 'chat', 'a'))).toBeGreaterThan(0.9);
  });

  test('route belief of a target that nobody tried stays in doubt', () => {
    const belief = believed(times(100, 'chat', 'a', 0.5));
    const [known, unknown] = explain(belief, 'chat', ['a', 'b']);
    expect(known?.n).toBeGreaterThan(90);
    expect((known?.high ?? 1) - (known?.low ?? 0)).toBeLessThan(0.25);
    expect(unknown).toMatchObject({ n: 0, mean: 0.5 });
    expect((unknown?.high ?? 0) - (unknown?.low ?? 1)).toBe(1);
  });

  test('route belief costs less than 0.35 of uniform, and finds a new best again', () => {
    const settings = FEWER_DRAWS;
    const run = runWorld({ arms: 4, calls: 12_000, drift: true, seed: 1, settings });
    expect(run.regret / run.uniform_regret).toBeLessThan(0.35);
    expect(run.recovered).toBeLessThan(2000);
  });
});

describe('proven best', () => {
  const sums = (n: number, rate: number) => ({ n, sum: n * rate, squares: n * rate });

  test('proven best names the best once the others are far enough below it', () => {
    expect(provenBest([sums(30, 0.5), sums(30, 0.6)])).toBeNull();
    expect(provenBest([sums(3000, 0.5), sums(3000, 0.6)])).toBe(1);
    expect(provenBest([sums(3000, 0.5), sums(9, 0)])).toBeNull();
    expect(provenBest([sums(10, 1), sums(10, 0.9)])).toBeNull();
  });
});
