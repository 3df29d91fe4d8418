import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AbArmCounts, armValueOf, comparisonsOf } from '../../../src/core/ab/compare.ts';
import type { AbEntry, AbMetric } from '../../../src/core/ab/entry.ts';
import { createRandom } from '../../../src/core/routing/random.ts';
import { entryOf } from './traffic.ts';

const ALPHA = 0.05;

const arm = (assigned: number, error: number, rated = 0, dissatisfied = 0): AbArmCounts => ({
  units: { assigned, error, rated, dissatisfied },
  means: {},
});

const compared = (entry: AbEntry, friendly: AbArmCounts, control: AbArmCounts) => {
  const [one] = comparisonsOf(entry, { control, friendly });
  if (!one) throw new Error('nothing was compared');
  return one;
};

const success = entryOf({ metric: 'success' });

describe('the change of units with an event', () => {
  test('is what a reader gets who divides the two values of the table', () => {
    const seen = { control: arm(220, 11), friendly: arm(200, 50) };
    const values = ['friendly', 'control'].map((name) =>
      Number(armValueOf(seen, name, 'success', ALPHA).value),
    );
    const [own = 0, other = 0] = values.map((value) => 1 - value);
    const { change } = compared(success, seen.friendly, seen.control);
    // 25 % against 5 %.
    expect(change).toBeCloseTo(own / other - 1, 9);
    expect(change).toBeCloseTo(4, 9);
  });

  test('counts units, not calls: whom one user’s ten failures befell is one', () => {
    const random = createRandom('units and calls');
    const counts = { units: { t: 0, c: 0 }, failed: { t: 0, c: 0 }, calls: { t: 0, c: 0 } };
    const failures = { t: 0, c: 0 };
    for (let user = 0; user < 4000; user += 1) {
      const side = random.uniform() < 0.5 ? 't' : 'c';
      const calls = 1 + Math.floor(random.uniform() * 5);
      let failed = 0;
      for (let call = 0; call < calls; call += 1) {
        failed += Number(random.uniform() < (side === 't' ? 0.2 : 0.05));
      }
      counts.units[side] += 1;
      counts.calls[side] += calls;
      counts.failed[side] += Number(failed > 0);
      failures[side] += failed;
    }
    const { units, failed, calls } = counts;
    const { change, low, high } = compared(success, arm(units.t, failed.t), arm(units.c, failed.c));
    const ofUnits = failed.t / units.t / (failed.c / units.c) - 1;
    const ofCalls = failures.t / calls.t / (failures.c / calls.c) - 1;
    expect(change).toBeCloseTo(ofUnits, 9);
    expect(ofCalls).toBeGreaterThan(2.5);
    expect(ofUnits).toBeLessThan(ofCalls - 0.5);
    // Of every 100 users the arms fail 45 and 14: 1 less the mean of (1 − p)^calls.
    const truth = (p: number): number =>
      1 - [1, 2, 3, 4, 5].reduce((sum, n) => sum + (1 - p) ** n / 5, 0);
    const known = truth(0.2) / truth(0.05) - 1;
    expect(low).toBeLessThan(known);
    expect(high ?? Number.NaN).toBeGreaterThan(known);
  });

  test.each<[AbMetric, string]>([
    ['success', 'assigned'],
    ['dissatisfied', 'rated'],
  ])('of %s lies in its own interval, whatever was counted', (metric) => {
    const entry = entryOf({ metric });
    const cell = fc
      .tuple(fc.nat(3000), fc.nat(3000), fc.nat(3000))
      .map(([more, rest, events]) => arm(events + rest + more, events, events + rest, events));
    fc.assert(
      fc.property(cell, cell, (friendly, control) => {
        const { change, low, high } = compared(entry, friendly, control);
        if (change === null) return;
        expect(Number.isFinite(change)).toBe(true);
        expect(change).toBeGreaterThanOrEqual(low - 1e-9);
        expect(change).toBeLessThanOrEqual((high ?? Number.MAX_VALUE) + 1e-9);
      }),
      { seed: 8 },
    );
  });

  test('is finite where only one arm has any, and nothing where none has', () => {
    const only = compared(success, arm(100, 10), arm(100, 0));
    expect(only.change).toBeCloseTo(20, 9);
    expect(compared(success, arm(100, 0), arm(100, 10)).change).toBeGreaterThan(-1);
    expect(compared(success, arm(100, 0), arm(100, 0)).change).toBeNull();
  });
});
