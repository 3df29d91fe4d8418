import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalTail } from '../../../src/core/series/normal.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import {
  benjaminiHochberg,
  eBenjaminiHochberg,
  pOverLooks,
} from '../../../src/core/statistics/multiplicity.ts';

describe('benjaminiHochberg', () => {
  test('benjaminiHochberg rejects four of the fifteen of the paper at 5 %', () => {
    const ps = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
      0.6528, 0.759, 1,
    ];
    expect(benjaminiHochberg(ps, 0.05).filter(Boolean)).toHaveLength(4);
  });

  test('benjaminiHochberg finds anything at all among pure noise at most q of the time', () => {
    const random = createRandom(5);
    let any = 0;
    for (let run = 0; run < 2000; run += 1) {
      const ps = Array.from({ length: 40 }, () => random.next());
      if (benjaminiHochberg(ps, 0.1).some(Boolean)) any += 1;
    }
    expect(any / 2000).toBeLessThan(0.115);
    expect(any / 2000).toBeGreaterThan(0.08);
  });

  test('benjaminiHochberg rejects a set of the smallest, and more at a larger q', () => {
    const ps = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(ps, (given) => {
        const strict = benjaminiHochberg(given, 0.05);
        const loose = benjaminiHochberg(given, 0.2);
        const rejected = given.filter((_, index) => strict[index]);
        const kept = given.filter((_, index) => !strict[index]);
        expect(Math.max(-1, ...rejected)).toBeLessThan(Math.min(2, ...kept));
        expect(strict.every((one, index) => !one || loose[index])).toBe(true);
      }),
    );
  });
});

describe('eBenjaminiHochberg', () => {
  test('eBenjaminiHochberg asks of the largest of m e-values m / q', () => {
    expect(eBenjaminiHochberg([99, 1, 1, 0], 0.04)).toEqual([false, false, false, false]);
    expect(eBenjaminiHochberg([100, 1, 1, 0], 0.04)).toEqual([true, false, false, false]);
    expect(eBenjaminiHochberg([100, 50, 1, 0], 0.04)).toEqual([true, true, false, false]);
  });
});

describe('pOverLooks', () => {
  test('pOverLooks bounds how often a sliding sum that is always watched rises high', () => {
    // Sums over a day of hourly normal values, watched every hour for a week.
    const random = createRandom(17);
    const z = 3;
    const runs = 3000;
    let crossed = 0;
    for (let run = 0; run < runs; run += 1) {
      const values = Array.from({ length: 24 * 8 }, () => random.normal());
      let sum = values.slice(0, 24).reduce((total, one) => total + one, 0);
      let high = sum;
      for (let hour = 24; hour < values.length; hour += 1) {
        sum += (values[hour] as number) - (values[hour - 24] as number);
        high = Math.max(high, sum);
      }
      if (high / Math.sqrt(24) > z) crossed += 1;
    }
    const bound = pOverLooks(normalTail(z), 7);
    expect(crossed / runs).toBeLessThan(bound);
    expect(crossed / runs).toBeGreaterThan(bound / 4);
  });

  test('pOverLooks never lowers a p value and stays one', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-300, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1000, noNaN: true }),
        (p, windows) => {
          const raised = pOverLooks(p, windows);
          expect(raised).toBeGreaterThanOrEqual(p);
          expect(raised).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
