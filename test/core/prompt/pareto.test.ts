import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dominates, paretoFront } from '../../../src/core/prompt/pareto.ts';

const point = fc.record({
  quality: fc.integer({ min: 0, max: 4 }),
  tokens: fc.integer({ min: 1, max: 4 }),
  latency: fc.integer({ min: 1, max: 4 }),
});

describe('paretoFront', () => {
  test('paretoFront has no dominated entry, and all others are dominated', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 12 }), (points) => {
        const entries = points.map((one) => ({ point: one }));
        const front = paretoFront(entries, 100);
        const isDominated = (one: (typeof entries)[number]): boolean =>
          entries.some((other) => dominates(other.point, one.point));
        return entries.every((one) => front.includes(one) !== isDominated(one));
      }),
      { seed: 5 },
    );
  });

  test('paretoFront is bounded, with the best quality first', () => {
    const entries = [1, 2, 3, 4].map((n) => ({ point: { quality: n, tokens: n, latency: 1 } }));
    const front = paretoFront(entries, 2);
    expect(front.map(({ point: { quality } }) => quality)).toEqual([4, 3]);
  });

  test('dominates needs to be better somewhere', () => {
    const one = { quality: 1, tokens: 1, latency: 1 };
    expect(dominates(one, one)).toBe(false);
    expect(dominates({ ...one, latency: 0.9 }, one)).toBe(true);
    expect(dominates({ ...one, quality: 2, tokens: 2 }, one)).toBe(false);
  });
});
