import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CUSUM_DEFAULTS,
  CUSUM_START,
  createCusum,
  cusumStep,
} from '../../../src/core/series/cusum.ts';
import { cusumArl, cusumArlOneSided } from '../../../src/core/series/cusum-arl.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { meanRunLength } from './run-length.ts';

const { k, h } = CUSUM_DEFAULTS;

test('cusumArl is the run length of the literature: 465.4 at rest, 10.38 at one sigma', () => {
  expect(cusumArl(0, k, h)).toBeCloseTo(465.4, 0);
  expect(cusumArl(1, k, h)).toBeCloseTo(10.38, 2);
  expect(cusumArlOneSided(0, k, h)).toBeCloseTo(930.9, 0);
  expect(cusumArl(0, k, 4)).toBeCloseTo(167.7, 0);
  expect(cusumArl(2, k, h)).toBeCloseTo(4.01, 2);
});

test('cusumStep runs as long as the Markov chain says, within 6 % at 4,000 simulated runs', () => {
  expect(meanRunLength(4000, 0, 11).mean / 465.4).toBeCloseTo(1, 1);
  expect(Math.abs(meanRunLength(4000, 0, 11).mean / 465.4 - 1)).toBeLessThan(0.06);
  expect(Math.abs(meanRunLength(4000, 1, 12).mean / 10.38 - 1)).toBeLessThan(0.04);
});

test('cusumStep mirrors its sides when the value changes its sign', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true })), (values) => {
      const up = values.reduce((state, z) => cusumStep(state, z), CUSUM_START);
      const down = values.reduce((state, z) => cusumStep(state, -z), CUSUM_START);
      expect([down.up, down.down]).toEqual([up.down, up.up]);
    }),
  );
});

test('createCusum alarms within ten rows of a shift and then learns the new level', () => {
  const random = createRandom(3);
  const detector = createCusum();
  const alarms = Array.from({ length: 700 }, (_, row) => {
    const value = random.normal() + (row >= 450 ? 3 : 0);
    return detector.push(value).alarm ? row : -1;
  }).filter((row) => row >= 450);
  expect(alarms[0]).toBeLessThan(460);
  expect(alarms.length).toBeLessThanOrEqual(2);
});
