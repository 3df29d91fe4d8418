import { describe, expect, test } from 'vitest';
import type { Sketch } from '../../../src/core/observation.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { sketchValues } from '../../../src/core/sketch.ts';
import {
  countAbove,
  dependentInterval,
  logMoments,
  valuesNeeded,
} from '../../../src/core/statistics/sketch-reading.ts';

const random = createRandom(3);
const logNormal = (median: number): number => median * Math.exp(0.5 * random.normal());
const sketchOf = (values: readonly number[]): Sketch => sketchValues(values) as Sketch;

describe('reading a sketch', () => {
  test('valuesNeeded is 6, 36, 72 and 368 for p50, p90, p95 and p99', () => {
    expect([0.5, 0.9, 0.95, 0.99].map(valuesNeeded)).toEqual([6, 36, 72, 368]);
  });

  test('countAbove counts within one part in a hundred of all', () => {
    const values = Array.from({ length: 5000 }, () => logNormal(800));
    const sketch = sketchOf(values);
    for (const bar of [300, 800, 1500, 4000]) {
      const exact = values.filter((value) => value > bar).length;
      expect(Math.abs(countAbove(sketch, bar) - exact)).toBeLessThan(50);
    }
    expect(countAbove(sketchOf([0, 0, 5]), 0)).toBe(1);
  });

  test('dependentInterval covers the true median 93 to 99 % of the time', () => {
    let covered = 0;
    for (let run = 0; run < 400; run += 1) {
      const sketch = sketchOf(Array.from({ length: 150 }, () => logNormal(800)));
      const [low, high] = dependentInterval(sketch, 0.5, 1) as [number, number];
      if (low <= 800 && 800 <= high) covered += 1;
    }
    expect(covered / 400).toBeGreaterThan(0.93);
    expect(covered / 400).toBeLessThan(0.995);
  });

  test('dependentInterval widens with the design effect and ends where it does not exist', () => {
    const sketch = sketchOf(Array.from({ length: 400 }, () => logNormal(800)));
    const [low, high] = dependentInterval(sketch, 0.5, 1) as [number, number];
    const [lower, higher] = dependentInterval(sketch, 0.5, 4) as [number, number];
    expect(higher - lower).toBeGreaterThan(1.5 * (high - low));
    expect(dependentInterval(sketch, 0.95, 10)).toBeNull();
  });

  test('logMoments knows the mean and variance of logarithms, whatever one absurd value', () => {
    const values = Array.from({ length: 4000 }, () => logNormal(0.01));
    const plain = logMoments(sketchOf(values));
    expect(plain?.mean).toBeCloseTo(Math.log(0.01), 1);
    expect(plain?.variance).toBeCloseTo(0.25, 1);
    const absurd = logMoments(sketchOf([...values, 1e6]));
    expect(Math.abs((absurd?.mean ?? 0) - (plain?.mean ?? 0))).toBeLessThan(0.002);
    expect(logMoments(sketchOf([1]))).toBeNull();
  });
});
