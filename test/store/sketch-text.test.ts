import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QUANTITIES } from '../../src/core/observation.ts';
import { sketchOf, sketchValues, type Tally, tallyOf } from '../../src/core/sketch.ts';
import { decodeTallies, encodeTallies, noTallies } from '../../src/store/sketch-text.ts';

test('decodeTallies gives back what encodeTallies was given, of every quantity and half', () => {
  const value = fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e9, noNaN: true }));
  const values = fc.array(value, { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(values, { minLength: 10, maxLength: 10 }), (given) => {
      const halves = noTallies();
      for (const [at, one] of given.entries()) {
        const sketch = sketchValues(one);
        const tally = sketch === null ? null : tallyOf(sketch);
        halves[at < 5 ? 0 : 1][at % 5] = tally;
      }
      const sketches = (tallies: (Tally | null)[]) =>
        tallies.map((tally) => (tally === null ? null : sketchOf(tally)));
      const back = decodeTallies(encodeTallies(halves));
      expect(back.map(sketches)).toEqual(halves.map(sketches));
    }),
  );
  expect(noTallies()[0]).toHaveLength(QUANTITIES.length);
});
