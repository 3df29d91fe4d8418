import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lagProducts } from '../../../src/core/series/fourier.ts';
import { createHistogramTail } from '../../../src/core/series/histogram-tail.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { createTail } from '../../../src/core/series/tail.ts';

test('createHistogramTail says of a normal what the tables say, and what createTail says', () => {
  const random = createRandom(7);
  const asked = [1.96, 2.58, 3.29];
  const tails = asked.map(() => createHistogramTail());
  const exact = createTail();
  for (let row = 0; row < 3000; row += 1) {
    const value = Math.abs(random.normal());
    for (const tail of tails) tail.take(value);
    exact.push(value);
  }
  const said = asked.map((value, at) => tails[at]?.take(value) ?? 0);
  [0.05, 0.01, 0.001].forEach((p, at) => {
    expect(Math.abs((said[at] ?? 0) + Math.log10(p))).toBeLessThan(0.35);
    expect(Math.abs((said[at] ?? 0) - exact.surprise(asked[at] ?? 0))).toBeLessThan(0.35);
  });
});

test('createHistogramTail of uniform ranks is about uniform: one in ten is above one', () => {
  const random = createRandom(3);
  const tail = createHistogramTail();
  const said = Array.from({ length: 4000 }, () => tail.take(Math.exp(2 * random.normal())));
  const above = said.slice(500).filter((surprise) => surprise > 1).length / 3500;
  expect(above).toBeGreaterThan(0.08);
  expect(above).toBeLessThan(0.12);
});

test('createHistogramTail is finite and does not fall as the value rises', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e300, noNaN: true }), { minLength: 45 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1e6, noNaN: true }), (past, value) => {
      const said = [value, value * 2, value * 1e6].map((asked) => {
        const tail = createHistogramTail();
        for (const one of past) tail.take(one);
        return tail.take(asked);
      });
      expect(said.every((one) => Number.isFinite(one) && one >= 0)).toBe(true);
      expect(said[1]).toBeGreaterThanOrEqual((said[0] ?? 0) - 1e-9);
      expect(said[2]).toBeGreaterThanOrEqual((said[1] ?? 0) - 1e-9);
    }),
    { numRuns: 50 },
  );
});

test('createHistogramTail is surprised by the first value far out, and less by the tenth', () => {
  const random = createRandom(5);
  const tail = createHistogramTail();
  const far: number[] = [];
  for (let row = 0; row < 2500; row += 1) {
    const surprise = tail.take(row % 200 === 199 ? 30 : Math.abs(random.normal()));
    if (row % 200 === 199) far.push(surprise);
  }
  expect(far[0]).toBeGreaterThan(4);
  expect(far.at(-1)).toBeLessThan((far[0] ?? 0) - 1);
});

test('lagProducts are the sums of products that they stand for', () => {
  const list = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2 });
  fc.assert(
    fc.property(list, (values) => {
      const most = Math.min(5, values.length - 1);
      lagProducts(values, most).forEach((product, lag) => {
        const sum = values.reduce((total, one, at) => total + one * (values[at - lag] ?? 0), 0);
        expect(product).toBeCloseTo(sum, 6);
      });
    }),
  );
});
