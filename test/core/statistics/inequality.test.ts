import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coefficientOfVariation, gini } from '../../../src/core/statistics/inequality.ts';

test('gini is 0 where all are equal and 1 − 1/n where one has all', () => {
  expect(gini([5, 5, 5])).toBeCloseTo(0, 12);
  expect(gini([0, 0, 0, 8])).toBeCloseTo(0.75, 12);
  expect(gini([1, 3])).toBeCloseTo(0.25, 12);
  expect(gini([])).toBeNull();
  expect(gini([0, 0])).toBeNull();
});

test('gini and variation do not change with the measure or the order', () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(amounts, fc.integer({ min: 2, max: 9 }), (given, factor) => {
      const scaled = given.map((one) => one * factor).reverse();
      expect(gini(scaled)).toBeCloseTo(gini(given) as number, 9);
      const variation = coefficientOfVariation(given) as number;
      expect(coefficientOfVariation(scaled)).toBeCloseTo(variation, 9);
    }),
  );
});

test('coefficientOfVariation is the standard deviation over the mean', () => {
  expect(coefficientOfVariation([2, 4])).toBeCloseTo(1 / 3, 12);
  expect(coefficientOfVariation([0, 0])).toBeNull();
});
