import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addToTally,
  binOf,
  createTally,
  mergeSketches,
  mergeTally,
  SKETCH_ACCURACY,
  SKETCH_BINS_MAX,
  sketchMean,
  sketchOf,
  sketchQuantile,
  sketchValues,
  tallyOf,
  tallyQuantile,
} from '../../src/core/sketch.ts';

const value = fc.oneof(
  fc.constant(0),
  fc.double({ min: 1e-2, max: 1e6, noNaN: true }),
  fc.integer({ min: 1, max: 5 }),
);
const values = fc.array(value, { minLength: 1, maxLength: 200 });
/** Of a ratio that no sketch has bins for, so that the lowest collapse. */
const wide = fc.array(fc.double({ min: 1e-200, max: 1e200, noNaN: true }), { minLength: 1 });

const binsOf = (given: readonly number[]) => sketchValues(given);
const close = (sum: number) => Number(sum.toPrecision(9));
const comparable = (sketch: ReturnType<typeof sketchValues>) =>
  sketch === null ? null : { ...sketch, sum: close(sketch.sum) };

describe('a sketch', () => {
  test('sketchQuantile is within the accuracy of the value of that rank', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (given, q) => {
        const sketch = binsOf(given);
        if (sketch === null) throw new Error('nothing was added');
        const exact = [...given].sort((a, b) => a - b)[
          Math.floor(q * (given.length - 1))
        ] as number;
        const error = Math.abs(sketchQuantile(sketch, q) - exact);
        expect(error).toBeLessThanOrEqual(exact * SKETCH_ACCURACY * 1.000_001);
        expect(tallyQuantile(tallyOf(sketch), q)).toBe(sketchQuantile(sketch, q));
      }),
    );
  });

  test('mergeSketches is the sketch of all values, in any order and grouping', () => {
    const several = fc.array(fc.oneof(values, wide), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(several, ([a = [], b = [], c = []]) => {
        const [one, two, three] = [a, b, c].map((given) => binsOf(given));
        if (!one || !two || !three) throw new Error('nothing was added');
        const whole = comparable(binsOf([...a, ...b, ...c]));
        const left = mergeSketches([mergeSketches([one, two]) ?? one, three]);
        const right = mergeSketches([one, mergeSketches([three, two]) ?? two]);
        // Sums overflow differently where values reach 1e200; bins and counts are what must agree.
        const bins = (sketch: typeof whole) => sketch && { ...sketch, sum: 0 };
        expect(bins(comparable(left))).toEqual(bins(whole));
        expect(bins(comparable(right))).toEqual(bins(whole));
      }),
    );
  });

  test('a sketch has at most its bins, and keeps the highest right', () => {
    fc.assert(
      fc.property(wide, (given) => {
        const sketch = binsOf(given);
        if (sketch === null) throw new Error('nothing was added');
        const [low, high] = [sketch.bins[0]?.[0] ?? 0, sketch.bins.at(-1)?.[0] ?? 0];
        expect(high - low).toBeLessThan(SKETCH_BINS_MAX);
        expect(sketch.bins.reduce((sum, [, times]) => sum + times, 0)).toBe(given.length);
        const top = Math.max(...given);
        expect(Math.abs(sketchQuantile(sketch, 1) - top)).toBeLessThanOrEqual(top * 0.010_001);
      }),
    );
  });

  test('tallyOf gives back what sketchOf made, and merging an empty tally changes nothing', () => {
    fc.assert(
      fc.property(values, (given) => {
        const sketch = binsOf(given);
        if (sketch === null) throw new Error('nothing was added');
        const tally = tallyOf(sketch);
        expect(sketchOf(tally)).toEqual(sketch);
        mergeTally(tally, createTally());
        expect(sketchOf(tally)).toEqual(sketch);
        const other = createTally();
        mergeTally(other, tally);
        expect(sketchOf(other)).toEqual(sketch);
      }),
    );
  });

  test('a sketch counts what is 0 or less apart, and knows its exact sum and ends', () => {
    const tally = createTally();
    for (const given of [0, -1, 4, 10]) addToTally(tally, given, binOf(given));
    const sketch = sketchOf(tally);
    expect(sketch).toMatchObject({ count: 4, sum: 13, min: -1, max: 10, zeros: 2 });
    expect(sketch && sketchMean(sketch)).toBe(3.25);
    expect(sketchOf(createTally())).toBeNull();
    expect(tallyQuantile(createTally(), 0.5)).toBeNull();
    expect(sketchValues([Number.NaN, Number.POSITIVE_INFINITY])).toBeNull();
  });
});
