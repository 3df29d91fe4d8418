import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAD_TO_SIGMA, madSigma, median } from '../../../src/core/series/numbers.ts';

/** Of few and of many values, with many alike among them. */
const values = fc.oneof(
  fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 200 }),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), {
    minLength: 1,
    maxLength: 200,
  }),
);

function byOrder(all: readonly number[]): number {
  const sorted = all.toSorted((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] as number;
  return low + (middle % 1) * ((sorted[Math.ceil(middle)] as number) - low);
}

test('median is the middle of the values in order, however many, and moves none', () => {
  fc.assert(
    fc.property(values, (all) => {
      const before = [...all];
      // Zero has two signs, and no order among them.
      expect(median(all) + 0).toBe(byOrder(all) + 0);
      expect(median(Float64Array.from(all)) + 0).toBe(byOrder(all) + 0);
      expect(all).toEqual(before);
    }),
    { numRuns: 300 },
  );
});

test('madSigma is the median distance from the centre, as a standard deviation', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: -5, max: 5 }), (all, centre) => {
      const away = all.map((value) => Math.abs(value - centre));
      expect(madSigma(all, centre)).toBe(MAD_TO_SIGMA * byOrder(away));
    }),
  );
});

test('median of nothing, and of what is no number, is none', () => {
  expect(median([])).toBeNaN();
  expect(median(Array.from({ length: 40 }, () => Number.NaN))).toBeNaN();
});
