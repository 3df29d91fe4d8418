import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ArmCounts,
  betaPosterior,
  eValue,
  evidenceLn,
  logMeanExp,
  RATE_RATIOS,
  splitPValue,
  wilsonInterval,
} from '../../src/core/statistics.ts';

const counts = fc.array(
  fc.record({
    q: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    canary: fc.nat({ max: 60 }),
    control: fc.nat({ max: 60 }),
  }),
  { maxLength: 5 },
);

/** mulberry32: a small seeded generator, so that a simulation gives the same figures everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function naiveEvidence(cells: readonly ArmCounts[], invert: boolean): number {
  const products = RATE_RATIOS.map((harmful) => {
    const r = invert ? 1 / harmful : harmful;
    return cells.reduce((product, { q, canary, control }) => {
      const p = (q * r) / (q * r + 1 - q);
      return product * (p / q) ** canary * ((1 - p) / (1 - q)) ** control;
    }, 1);
  });
  return products.reduce((sum, product) => sum + product, 0) / products.length;
}

describe('wilsonInterval', () => {
  test('wilsonInterval of 8 in 10 is the published one', () => {
    const [lower, upper] = wilsonInterval(8, 10);
    expect(lower).toBeCloseTo(0.4902, 4);
    expect(upper).toBeCloseTo(0.9433, 4);
  });

  test('wilsonInterval holds the observed rate and stays in [0, 1]', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.nat({ max: 5000 }), (events, more) => {
        const units = events + more;
        const [lower, upper] = wilsonInterval(events, units);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        if (units > 0) {
          expect(lower).toBeLessThanOrEqual(events / units + 1e-12);
          expect(upper).toBeGreaterThanOrEqual(events / units - 1e-12);
        }
      }),
    );
  });

  test('wilsonInterval says nothing of no units', () => {
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});

describe('evidenceLn', () => {
  test('evidenceLn equals the product of the formula in both directions', () => {
    fc.assert(
      fc.property(counts, fc.boolean(), (cells, invert) => {
        const naive = naiveEvidence(cells, invert);
        fc.pre(naive > 1e-250 && naive < 1e250);
        const ln = evidenceLn(cells, invert ? 'improvement' : 'harm');
        expect(ln).toBeCloseTo(Math.log(naive), 6);
      }),
    );
  });

  test('evidenceLn has mean 1 after one event under the null hypothesis', () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (cells, q) => {
        for (const direction of ['harm', 'improvement'] as const) {
          const now = evidenceLn(cells, direction);
          const canary = evidenceLn([...cells, { q, canary: 1, control: 0 }], direction);
          const control = evidenceLn([...cells, { q, canary: 0, control: 1 }], direction);
          const mean = q * Math.exp(canary - now) + (1 - q) * Math.exp(control - now);
          expect(mean).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  test('evidenceLn stays a number at a million units, and eValue a JSON number', () => {
    const ln = evidenceLn([{ q: 0.05, canary: 1_000_000, control: 10 }]);
    expect(Number.isFinite(ln)).toBe(true);
    expect(Number.isFinite(eValue(ln))).toBe(true);
    expect(logMeanExp([-1e6, -1e6])).toBeCloseTo(-1e6, 6);
  });

  test('evidenceLn of no events is 0', () => {
    expect(evidenceLn([])).toBe(0);
    expect(evidenceLn([{ q: 0.5, canary: 0, control: 0 }], 'improvement')).toBeCloseTo(0, 12);
  });
});

/** One run: units arrive, each has the event with its arm's rate; where E first reaches `limit`. */
function firstCrossing(run: {
  random: () => number;
  q: number;
  canaryRate: number;
  controlRate: number;
  limit: number;
  unitsMax: number;
  direction: 'harm' | 'improvement';
}): { units: number; canaryUnits: number } | null {
  let canary = 0;
  let control = 0;
  let canaryUnits = 0;
  const limitLn = Math.log(run.limit);
  for (let units = 1; units <= run.unitsMax; units += 1) {
    const inCanary = run.random() < run.q;
    if (inCanary) canaryUnits += 1;
    if (run.random() >= (inCanary ? run.canaryRate : run.controlRate)) continue;
    if (inCanary) canary += 1;
    else control += 1;
    if (evidenceLn([{ q: run.q, canary, control }], run.direction) >= limitLn) {
      return { units, canaryUnits };
    }
  }
  return null;
}

/** One run in which the rate of events rises from 1 % to 30 % in both arms for a while. */
function incidentAlarms(random: () => number): boolean {
  let canary = 0;
  let control = 0;
  for (let unit = 0; unit < 3000; unit += 1) {
    const rate = unit > 1000 && unit < 1500 ? 0.3 : 0.01;
    if (random() >= rate) continue;
    if (random() < 0.05) canary += 1;
    else control += 1;
    if (evidenceLn([{ q: 0.05, canary, control }]) >= Math.log(20)) return true;
  }
  return false;
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN;
}

describe('the sequential test under continuous peeking', () => {
  test.each([0.02, 0.1, 0.5])(
    'at base rate %f it raises a false alarm in at most one run of twenty',
    (rate) => {
      const random = seeded(11 + rate * 1000);
      const runs = 400;
      let alarms = 0;
      for (let run = 0; run < runs; run += 1) {
        const shared = { random, q: 0.05, canaryRate: rate, controlRate: rate, unitsMax: 4000 };
        if (firstCrossing({ ...shared, limit: 20, direction: 'harm' })) alarms += 1;
      }
      expect(alarms / runs).toBeLessThanOrEqual(0.05);
    },
  );

  test('an incident that hits both arms raises no alarm, since only the split counts', () => {
    const random = seeded(5);
    let alarms = 0;
    for (let run = 0; run < 300; run += 1) if (incidentAlarms(random)) alarms += 1;
    expect(alarms / 300).toBeLessThanOrEqual(0.05);
  });

  test('a canary with 15 % errors against 2 % is seen within a median of 25 canary units', () => {
    const random = seeded(3);
    const delays: number[] = [];
    for (let run = 0; run < 400; run += 1) {
      const found = firstCrossing({
        random,
        q: 0.05,
        canaryRate: 0.15,
        controlRate: 0.02,
        limit: 20,
        unitsMax: 20_000,
        direction: 'harm',
      });
      if (found) delays.push(found.canaryUnits);
    }
    expect(delays).toHaveLength(400);
    expect(quantile(delays, 0.5)).toBeLessThanOrEqual(25);
    expect(quantile(delays, 0.9)).toBeLessThanOrEqual(60);
  });

  test.each([
    [0.05, 141, 61],
    [0.1, 74, 33],
    [0.25, 35, 19],
    [0.5, 24, 16],
  ])('at share %f large effects need the units of the notes (%i, %i)', (q, promote, revert) => {
    const random = seeded(q * 997);
    const needed = (direction: 'harm' | 'improvement'): number => {
      const [canaryRate, controlRate] = direction === 'harm' ? [0.9, 0.05] : [0.05, 0.9];
      const limit = direction === 'harm' ? 20 : 100;
      const units: number[] = [];
      for (let run = 0; run < 401; run += 1) {
        const shared = { random, q, canaryRate, controlRate, limit, unitsMax: 5000, direction };
        units.push(firstCrossing(shared)?.units ?? 5000);
      }
      return quantile(units, 0.5);
    };
    expect(Math.abs(needed('improvement') / promote - 1)).toBeLessThanOrEqual(0.25);
    expect(Math.abs(needed('harm') / revert - 1)).toBeLessThanOrEqual(0.25);
  });
});

describe('splitPValue', () => {
  test('splitPValue is the chi-square test: 60 of 100 at one half gives 0.0455', () => {
    expect(splitPValue([{ q: 0.5, canary: 60, control: 40 }])).toBeCloseTo(0.0455, 4);
  });

  test('splitPValue is 1 without units and tiny where an arm loses half its units', () => {
    expect(splitPValue([])).toBe(1);
    expect(splitPValue([{ q: 0.5, canary: 250, control: 500 }])).toBeLessThan(1e-9);
  });

  test('splitPValue rejects a fair split at .001 about once in a thousand', () => {
    const random = seeded(77);
    let rejected = 0;
    for (let run = 0; run < 2000; run += 1) {
      let canary = 0;
      for (let unit = 0; unit < 200; unit += 1) if (random() < 0.25) canary += 1;
      if (splitPValue([{ q: 0.25, canary, control: 200 - canary }]) < 0.001) rejected += 1;
    }
    expect(rejected).toBeLessThanOrEqual(8);
  });
});

describe('betaPosterior', () => {
  test('betaPosterior of nothing is one half, with 5 % as its lower bound', () => {
    const { mean, lower } = betaPosterior(0, 0);
    expect(mean).toBe(0.5);
    expect(lower).toBeCloseTo(0.05, 9);
  });

  test('betaPosterior needs about ten successes before its mean clears 0.7 by far', () => {
    expect(betaPosterior(10, 0).lower).toBeGreaterThan(0.7);
    expect(betaPosterior(10, 0).mean).toBeCloseTo(11 / 12, 12);
    expect(betaPosterior(3, 3).mean).toBe(0.5);
  });
});
