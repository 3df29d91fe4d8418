import { expect, test } from 'vitest';
import { noiseOf } from '../../../src/core/findings/noise.ts';
import { createRandom } from '../../../src/core/series/random.ts';

/** Steps whose variance is a + v / n. */
function stepsOf(a: number, v: number, countAt: (index: number) => number, seed = 1) {
  const random = createRandom(seed);
  const held = Array.from({ length: 20_000 }, (_, index) => countAt(index));
  const offs = held.map((count) => Math.sqrt(a + v / count) * random.normal());
  return noiseOf(offs, held, held.length);
}
const nightAndDay = (index: number): number => (index % 2 === 0 ? 2 : 50);

test('noiseOf tells what is of the step from what is of its calls', () => {
  const calls = stepsOf(0, 0.5, nightAndDay);
  expect(calls.varianceAt(2) / 0.25).toBeCloseTo(1, 1);
  expect(calls.varianceAt(50) / 0.01).toBeCloseTo(1, 0);
  const steps = stepsOf(0.04, 0, nightAndDay);
  expect(steps.varianceAt(2) / 0.04).toBeCloseTo(1, 1);
  expect(steps.varianceAt(50) / 0.04).toBeCloseTo(1, 1);
  const both = stepsOf(0.04, 0.5, nightAndDay);
  expect(both.varianceAt(2) / 0.29).toBeCloseTo(1, 1);
  expect(both.varianceAt(50) / 0.05).toBeCloseTo(1, 0);
});

test('noiseOf gives the mean square where all steps have as many calls', () => {
  const noise = stepsOf(0.04, 0.5, () => 10);
  expect(noise.varianceAt(10) / 0.09).toBeCloseTo(1, 1);
  expect(noise.variance / 0.09).toBeCloseTo(1, 1);
  // Of fewer than were ever seen it takes the worst: that all was of the calls.
  expect(noise.varianceAt(1) / 0.9).toBeCloseTo(1, 1);
});

test('noiseOf takes a step busier than any before for no surer than the busiest', () => {
  const noise = stepsOf(0, 0.5, nightAndDay);
  expect(noise.varianceAt(5000)).toBe(noise.varianceAt(50));
  expect(noiseOf([], [], 1).varianceAt(3)).toBeGreaterThan(0);
});
