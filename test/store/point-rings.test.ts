import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPointRings } from '../../src/store/point-rings.ts';

const STEP_MS = 300_000;
const SIZE = 6;

/** A window's spans with the change that wrote each, and what each key has in them. */
const look = fc.record({
  from: fc.integer({ min: 0, max: 20 }),
  changes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: SIZE, maxLength: SIZE }),
});

test('point rings hold what was last put in each span of the window, and nothing older', () => {
  fc.assert(
    fc.property(fc.array(look, { maxLength: 12 }), (looks) => {
      const rings = createPointRings(STEP_MS, SIZE, 2);
      for (const { from, changes } of looks) {
        // A change of 0 stands for a span without rows.
        const now = new Map(
          changes.flatMap((change, at) => (change > 0 ? [[(from + at) * STEP_MS, change]] : [])),
        );
        for (const at_ms of rings.stale(now)) {
          const change = now.get(at_ms) as number;
          rings.begin(at_ms, change);
          rings.put('a', at_ms, [at_ms, change]);
          // Only where the change is odd.
          if (change % 2 === 1) rings.put('b', at_ms, [at_ms, -change]);
        }
        for (let at = 0; at < SIZE; at += 1) {
          const at_ms = (from + at) * STEP_MS;
          const change = now.get(at_ms) ?? Number.NaN;
          expect(rings.of('a')(at_ms, 1)).toBe(change);
          expect(rings.of('b')(at_ms, 1)).toBe(change % 2 === 1 ? -change : Number.NaN);
        }
      }
    }),
  );
});

test('point rings tell which spans have changed, and which keys they have no points of', () => {
  const rings = createPointRings(STEP_MS, SIZE, 1);
  expect(rings.choose(['a'])).toEqual(['a']);
  expect(rings.stale(new Map([[STEP_MS, 7]]))).toEqual([STEP_MS]);
  rings.begin(STEP_MS, 7);
  rings.put('a', STEP_MS, [1]);
  expect(rings.stale(new Map([[STEP_MS, 7]]))).toEqual([]);
  expect(rings.stale(new Map([[STEP_MS, 8]]))).toEqual([STEP_MS]);
  expect(rings.choose(['b', 'a'])).toEqual(['b']);
  expect(rings.of('a')(STEP_MS, 0)).toBe(1);
  expect(rings.choose(['b'])).toEqual([]);
  expect(rings.of('a')(STEP_MS, 0)).toBe(Number.NaN);
  expect(rings.known()).toEqual([STEP_MS]);
});
