import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inShare, pickAt, unitFraction } from '../../src/core/unit.ts';

describe('unitFraction', () => {
  test('unitFraction is the first 53 bits of SHA-256(salt, 0, unit), as computed elsewhere', () => {
    // python3: int.from_bytes(sha256(b"exp\0u:1").digest()[:8], "big") >> 11, over 2**53
    expect(unitFraction('exp', 'u:1')).toBe(0.2715172166729949);
  });

  test('unitFraction is in [0, 1) and spreads units evenly', () => {
    const fractions = Array.from({ length: 20_000 }, (_, index) => unitFraction('s', `u:${index}`));
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const inside = fractions.filter((u) => u >= tenth / 10 && u < (tenth + 1) / 10).length;
      // 2,000 expected, standard deviation 42: five of them.
      expect(Math.abs(inside - 2000)).toBeLessThan(212);
    }
  });

  test('a unit that is in a share stays in when the share grows', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (s, u, q) => {
          if (inShare(s, u, q)) expect(inShare(s, u, q + (1 - q) / 2)).toBe(true);
          expect(inShare(s, u, 0)).toBe(false);
          expect(inShare(s, u, 1)).toBe(true);
        },
      ),
    );
  });

  test('two salts draw independently', () => {
    const units = Array.from({ length: 10_000 }, (_, index) => `u:${index}`);
    const both = units.filter((unit) => inShare('a', unit, 0.5) && inShare('b', unit, 0.5)).length;
    expect(Math.abs(both - 2500)).toBeLessThan(217);
  });
});

describe('pickAt', () => {
  test('pickAt never picks an option of probability 0 while another has some', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), weights, (u, vector) => {
        const index = pickAt(u, vector);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeLessThan(vector.length);
        if (vector.some((weight) => weight > 0)) expect(vector[index]).toBeGreaterThan(0);
      }),
    );
  });

  test('pickAt takes probabilities relative to their sum', () => {
    expect(pickAt(0.79, [8, 2])).toBe(0);
    expect(pickAt(0.81, [8, 2])).toBe(1);
    expect(pickAt(0.5, [0, 0, 0])).toBe(1);
  });
});
