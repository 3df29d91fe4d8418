import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalTail } from '../../../src/core/series/normal.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import {
  binomialTail,
  type Count,
  extraRiseTail,
  fisherTail,
  pDispersed,
  studentTail,
  zOfTail,
} from '../../../src/core/statistics/tails.ts';

const count = fc
  .record({
    units: fc.integer({ min: 1, max: 400 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ units, share }): Count => ({ units, events: Math.floor(units * share) }));

describe('binomialTail', () => {
  test('binomialTail is the exact sum: 8 of 10 heads or more come with 56 of 1,024', () => {
    expect(binomialTail({ units: 10, events: 8 }, 0.5)).toBeCloseTo(56 / 1024, 10);
    expect(binomialTail({ units: 10, events: 0 }, 0.5)).toBe(1);
    expect(binomialTail({ units: 3, events: 3 }, 0.1)).toBeCloseTo(0.001, 10);
  });

  test('binomialTail falls as events grow and stays a probability', () => {
    fc.assert(
      fc.property(count, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (one, rate) => {
        const p = binomialTail(one, rate);
        const more = binomialTail({ ...one, events: Math.min(one.units, one.events + 1) }, rate);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(more).toBeLessThanOrEqual(p * (1 + 1e-6));
      }),
    );
  });
});

describe('fisherTail', () => {
  test('fisherTail gives the lady tasting tea 17 in 70 for three of four cups', () => {
    const p = fisherTail({ units: 4, events: 3 }, { units: 4, events: 1 });
    expect(p).toBeCloseTo(17 / 70, 10);
    expect(fisherTail({ units: 4, events: 4 }, { units: 4, events: 0 })).toBeCloseTo(1 / 70, 10);
  });

  test('fisherTail is no more often below alpha than alpha where nothing differs', () => {
    const random = createRandom(11);
    const draw = (units: number): Count => {
      let events = 0;
      for (let unit = 0; unit < units; unit += 1) if (random.next() < 0.05) events += 1;
      return { units, events };
    };
    let below = 0;
    for (let run = 0; run < 2000; run += 1) {
      if (fisherTail(draw(200), draw(600)) <= 0.05) below += 1;
    }
    expect(below / 2000).toBeLessThan(0.05);
    expect(below / 2000).toBeGreaterThan(0.01);
  });

  test('fisherTail and the other side share exactly the observed table', () => {
    fc.assert(
      fc.property(count, count, (here, there) => {
        const p = fisherTail(here, there);
        const other = fisherTail(there, here);
        expect(p + other).toBeGreaterThanOrEqual(1 - 1e-6);
      }),
    );
  });
});

describe('the normal tail', () => {
  test('zOfTail inverts the tail, also far out', () => {
    for (const z of [-3, -1, 0, 1.645, 3, 6, 12]) {
      expect(zOfTail(normalTail(z))).toBeCloseTo(z, 4);
    }
  });

  test('pDispersed divides z by the root of the factor, and never helps', () => {
    expect(pDispersed(normalTail(4), 4)).toBeCloseTo(normalTail(2), 8);
    expect(pDispersed(0.01, 0.5)).toBe(0.01);
    expect(pDispersed(0.7, 9)).toBe(0.7);
  });

  test('studentTail is within 2 % of the tables', () => {
    expect(studentTail(2.228, 10)).toBeCloseTo(0.025, 3);
    expect(studentTail(3.169, 10)).toBeCloseTo(0.005, 3);
    expect(studentTail(-2.228, 10)).toBeCloseTo(0.975, 3);
  });
});

describe('extraRiseTail', () => {
  const peers = { units: 1000, events: 50 };

  test('extraRiseTail says nothing of a rise that the peers had as well', () => {
    const risen = { units: 1000, events: 100 };
    const p = extraRiseTail({ here: risen, there: peers, peers_here: risen, peers_there: peers });
    expect(p).toBeCloseTo(0.5, 6);
    const alone = extraRiseTail({
      here: risen,
      there: peers,
      peers_here: peers,
      peers_there: peers,
    });
    expect(alone).toBeLessThan(1e-4);
  });

  test('extraRiseTail does not blame a cell for peers that got better', () => {
    const better = { units: 1000, events: 10 };
    const p = extraRiseTail({ here: peers, there: peers, peers_here: better, peers_there: peers });
    expect(p).toBeCloseTo(0.5, 6);
  });
});
