import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MEAN_UNITS_MIN,
  meanInterval,
  meanRatio,
  rateInterval,
  rateRatio,
} from '../../../src/core/ab/confidence.ts';
import { createRandom } from '../../../src/core/routing/random.ts';

const count = fc.integer({ min: 0, max: 5000 });
const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });

describe('rateRatio', () => {
  test('holds its estimate, and narrows as alpha grows', () => {
    fc.assert(
      fc.property(count, count, share, (treatment, control, q) => {
        const wide = rateRatio({ treatment, control, q }, 0.01);
        const narrow = rateRatio({ treatment, control, q }, 0.2);
        expect(wide.low).toBeLessThanOrEqual(narrow.low + 1e-9);
        expect(wide.high).toBeGreaterThanOrEqual(narrow.high - 1e-9);
        if (treatment > 0 && control > 0 && Math.abs(wide.estimate) < 7) {
          expect(narrow.low).toBeLessThanOrEqual(narrow.estimate);
          expect(narrow.high).toBeGreaterThanOrEqual(narrow.estimate);
        }
      }),
      { seed: 3 },
    );
  });

  test('excludes no difference exactly where the evidence against it reaches 1/alpha', () => {
    fc.assert(
      fc.property(count, count, share, (treatment, control, q) => {
        const { low, high, evidence_ln } = rateRatio({ treatment, control, q }, 0.05);
        if (Math.abs(evidence_ln - Math.log(20)) < 1e-6) return;
        expect(low > 0 || high < 0).toBe(evidence_ln > Math.log(20));
      }),
      { seed: 4 },
    );
  });

  test('knows nothing of nobody, and bounds what only one arm shows', () => {
    expect(rateRatio({ treatment: 0, control: 0, q: 0.5 }, 0.05).evidence_ln).toBe(0);
    const none = rateRatio({ treatment: 0, control: 200, q: 0.5 }, 0.05);
    expect(none.high).toBeLessThan(Math.log(0.1));
    expect(none.low).toBe(-8);
  });

  test('misses the true ratio in fewer than 5 of 100 runs, looked at after every event', () => {
    const random = createRandom('ratio');
    const q = 0.3;
    const ratio = 1.6;
    const p = (q * ratio) / (q * ratio + 1 - q);
    let missed = 0;
    for (let run = 0; run < 200; run += 1) {
      const seen = { treatment: 0, control: 0, q };
      for (let event = 0; event < 300; event += 1) {
        if (random.uniform() < p) seen.treatment += 1;
        else seen.control += 1;
        const { low, high } = rateRatio(seen, 0.05);
        if (low <= Math.log(ratio) && Math.log(ratio) <= high) continue;
        missed += 1;
        break;
      }
    }
    expect(missed).toBeLessThanOrEqual(10);
  });
});

describe('meanRatio', () => {
  const units = (n: number, mean: number, variance = 1) => ({ n, mean, variance });

  test('compares nothing below the least number of units', () => {
    const few = meanRatio(units(MEAN_UNITS_MIN - 1, 9), units(1000, 3), {
      alpha: 0.05,
      log: false,
    });
    expect(few).toMatchObject({ low: -8, high: 8, evidence_ln: 0 });
  });

  test('finds a tenth more in few units of little spread, and not in such of much', () => {
    const small = meanRatio(units(200, 4.4), units(200, 4), { alpha: 0.05, log: false });
    expect(small.low).toBeGreaterThan(0);
    expect(small.estimate).toBeCloseTo(Math.log(1.1));
    const wide = meanRatio(units(200, 4.4, 16), units(200, 4, 16), { alpha: 0.05, log: false });
    expect(wide.low).toBeLessThan(0);
    expect(wide.high).toBeGreaterThan(0);
  });

  test('of logarithms is their difference', () => {
    const { estimate, high } = meanRatio(units(500, 6.5), units(500, 7), {
      alpha: 0.05,
      log: true,
    });
    expect(estimate).toBeCloseTo(-0.5);
    expect(high).toBeLessThan(0);
  });

  test('survives means of nothing and units that are all alike', () => {
    const none = meanRatio(units(100, 0), units(100, 0), { alpha: 0.05, log: false });
    expect(none).toMatchObject({ estimate: 0, evidence_ln: 0 });
    const alike = meanRatio(units(100, 2, 0), units(100, 1, 0), { alpha: 0.05, log: false });
    expect(alike.evidence_ln).toBe(0);
  });
});

describe('one arm’s interval', () => {
  test('of a rate holds it and stays within 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (events, more) => {
        const n = events + more;
        const [low, high] = rateInterval(events, n, 0.05);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        if (n === 0) return;
        expect(low).toBeLessThanOrEqual(events / n);
        expect(high).toBeGreaterThanOrEqual(events / n);
      }),
      { seed: 5 },
    );
  });

  test('of a mean is null for few and narrows with more', () => {
    expect(meanInterval({ n: 10, mean: 1, variance: 1 }, 0.05)).toBeNull();
    const width = (n: number): number => {
      const [low, high] = meanInterval({ n, mean: 1, variance: 1 }, 0.05) ?? [0, 0];
      return high - low;
    };
    expect(width(1000)).toBeLessThan(width(100));
    expect(width(10_000)).toBeGreaterThan(2 * 1.96 * 0.01);
  });
});
