import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Sketch } from '../../src/core/observation.ts';
import { QUANTITIES } from '../../src/core/observation.ts';
import { sketchQuantile, sketchValues } from '../../src/core/sketch.ts';
import { addValue, binOf, emptyValues, quantitiesOf } from '../../src/sim/bins.ts';

const positive = fc.array(fc.double({ min: 0.01, max: 1e5, noNaN: true }), { minLength: 1 });

function sketched(kept: readonly number[], left: readonly number[]): Sketch | undefined {
  const all = QUANTITIES.map(emptyValues);
  const [first] = all;
  if (!first) throw new Error('there are no quantities');
  for (const value of [...left, ...kept]) addValue(first, value, binOf(value), 1);
  for (const value of left) addValue(first, value, binOf(value), -1);
  return quantitiesOf([all])[QUANTITIES[0]];
}

test('bins are those of the sketch that the store keeps, also once others have left', () => {
  fc.assert(
    fc.property(positive, positive, (kept, left) => {
      const own = sketched(kept, left);
      const known = sketchValues(kept);
      expect(own?.bins).toEqual(known?.bins);
      expect(own?.count).toBe(kept.length);
      if (!own || !known) throw new Error('nothing was sketched');
      for (const q of [0, 0.5, 0.95, 1]) {
        const there = sketchQuantile(known, q);
        expect(Math.abs(sketchQuantile(own, q) - there) / there).toBeLessThan(0.021);
      }
    }),
  );
});

test('bins of nothing are no sketch, and zeros are counted apart', () => {
  expect(sketched([], [5])).toBeUndefined();
  expect(sketched([0, 0], [])).toMatchObject({ count: 2, zeros: 2, bins: [] });
});
