import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFeatureRows } from '../../../src/core/ope/feature-rows.ts';
import { COLUMNS } from '../../../src/core/ope/features.ts';
import { evaluate, labelsWorld, logisticWorld, sample } from './worlds.ts';

const DEVIATION_STEP = 6 / 127;

function rowOf(values: readonly number[]): Float32Array {
  const row = new Float32Array(COLUMNS);
  row.set(values);
  return row;
}

describe('createFeatureRows', () => {
  test('feature rows gives back what it was given while the log is short', () => {
    const rows = createFeatureRows();
    rows.add(rowOf([1, -2.5, 1e30]));
    rows.add(rowOf([7]));
    const into = new Float64Array(4);
    rows.read(0, 3, into, 1);
    expect([...into]).toEqual([0, 1, -2.5, Math.fround(1e30)]);
    expect(rows.width()).toBe(COLUMNS);
  });

  test('feature rows of a long log is off by at most half a step, within six deviations', () => {
    const value = fc.float({ min: -2, max: 2, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 40, maxLength: 80 }), (values) => {
        const rows = createFeatureRows(30);
        for (const one of values) rows.add(rowOf([one, 1000 * one, 5]));
        const before = values.slice(0, 30);
        const mean = before.reduce((sum, one) => sum + one, 0) / 30;
        const deviation = Math.sqrt(before.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 30);
        fc.pre(deviation > 0.01);
        const into = new Float64Array(3);
        for (const [row, one] of values.entries()) {
          rows.read(row, 3, into, 0);
          const cut = Math.min(mean + 6 * deviation, Math.max(mean - 6 * deviation, one));
          const off = (DEVIATION_STEP * deviation) / 2 + 1e-4;
          expect(Math.abs((into[0] as number) - cut)).toBeLessThanOrEqual(off);
          expect(Math.abs((into[1] as number) - 1000 * cut)).toBeLessThanOrEqual(1000 * off);
          expect(into[2]).toBe(5);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('feature rows keeps a number whatever a column holds', () => {
    const rows = createFeatureRows(2);
    const odd = [Infinity, -Infinity, 3e38, -3e38, 0, Number.NaN];
    for (const one of odd) rows.add(rowOf([one]));
    const into = new Float64Array(1);
    for (const row of odd.keys()) {
      rows.read(row, 1, into, 0);
      expect(Number.isFinite(into[0])).toBe(true);
    }
  });

  test.each([
    ['logistic', logisticWorld(4, 4, 21)],
    ['labels', labelsWorld(6, 8, 3)],
  ] as const)('evaluateTarget of %s finds the same with rounded features', (_name, world) => {
    for (const seed of [1, 2, 3]) {
      const logged = sample(world, 3000, seed);
      const [exact, rounded] = [evaluate(logged), evaluate(logged, 1000)];
      const [low, high] = exact.ci as readonly [number, number];
      const off = Math.abs((rounded.estimate as number) - (exact.estimate as number));
      expect(off).toBeLessThan(0.05 * (high - low));
      expect(rounded).toMatchObject({ ess: exact.ess, verdict: 'ok' });
    }
  });
});
