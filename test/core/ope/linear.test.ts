import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addOuter, solveRidge, timesVector, triangleSize } from '../../../src/core/ope/linear.ts';

const number = fc.double({ min: -3, max: 3, noNaN: true });
const rows = fc.array(fc.array(number, { minLength: 3, maxLength: 3 }), { maxLength: 12 });

describe('solveRidge', () => {
  test('solveRidge solves the penalised normal equations', () => {
    fc.assert(
      fc.property(rows, fc.array(number, { minLength: 3, maxLength: 3 }), (xs, b) => {
        const triangle = new Float64Array(triangleSize(3));
        for (const x of xs) addOuter(triangle, 0, Float64Array.from(x));
        const solved = solveRidge(triangle, Float64Array.from(b), Float64Array.of(1, 2, 3));
        const back = timesVector(triangle, solved);
        for (const [at, value] of b.entries()) {
          expect((back[at] as number) + (at + 1) * (solved[at] as number)).toBeCloseTo(value, 6);
        }
      }),
    );
  });

  test('solveRidge gives 0 in a direction without variance, never NaN', () => {
    const nothing = new Float64Array(triangleSize(2));
    expect([...solveRidge(nothing, Float64Array.of(1, 2), new Float64Array(2))]).toEqual([0, 0]);
  });
});
