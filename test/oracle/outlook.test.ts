import { describe, expect, test } from 'vitest';
import type { CanaryStats } from '../../src/core/canary.ts';
import { outlookOf } from '../../src/oracle/outlook.ts';
import { AT_MS, cell, DAY_MS, HOUR_MS, statsOf } from './canary-stats.ts';
import { POLICY } from './kit.ts';

const { canary } = POLICY.oracle.safety;
const STEPS = [0.05, 0.1, 0.25, 0.5];

/** Six hundred users, of whom 5 % make 26 canary units, after so many days at the first share. */
function few(days: number, change: Partial<CanaryStats> = {}): CanaryStats {
  const since_ms = AT_MS - days * DAY_MS;
  return statsOf({
    share: 0.05,
    started_ms: since_ms,
    share_since_ms: since_ms,
    cells: [cell('assigned', 0.05, 'canary', 26), cell('assigned', 0.05, 'control', 570)],
    canary_units: 26,
    canary_units_at_share: 26,
    arrivals: { at_share: 4, in_all: 4, primary: 0 },
    ...change,
  });
}
const outlook = (stats: CanaryStats) => outlookOf(stats, canary, STEPS, AT_MS);

describe('outlookOf', () => {
  test('outlook asks a third of the units of a step where the others will not come', () => {
    const { step_units, starved, stuck, hopeless } = outlook(few(2));
    expect({ step_units, stuck, hopeless }).toEqual({
      step_units: 10,
      stuck: false,
      hopeless: null,
    });
    expect(starved).toBe('26 of 30 canary units at 5 %, and only 4 new units (both arms) in a day');
  });

  test('outlook asks them all while they come, and where nobody knows', () => {
    expect(outlook(few(2, { arrivals: { at_share: 60, in_all: 60, primary: 0 } })).step_units).toBe(
      30,
    );
    expect(outlook(few(2, { arrivals: null })).step_units).toBe(30);
    expect(outlook(few(0.9, { arrivals: { at_share: 0, in_all: 0, primary: 0 } })).step_units).toBe(
      30,
    );
    const moved = few(5, { share_since_ms: AT_MS - 23 * HOUR_MS });
    expect(outlook(moved)).toMatchObject({ step_units: 30, starved: null, exhausted: false });
  });

  test('outlook needs no screen where the next share serves no more units than one has', () => {
    const cells = [cell('assigned', 0.05, 'canary', 1), cell('assigned', 0.05, 'control', 39)];
    const tiny = { cells, canary_units: 1, canary_units_at_share: 1 };
    const arrivals = { at_share: 0, in_all: 0, primary: 0 };
    expect(outlook(few(3, { ...tiny, arrivals })).step_units).toBe(0);
    // Of a weekend alone nobody knows how many will come on Monday.
    expect(outlook(few(2, { ...tiny, arrivals }))).toMatchObject({ step_units: 10, stuck: false });
  });

  test('outlook is stuck where not even the smaller number comes before days_max', () => {
    const unlucky = { canary_units: 3, canary_units_at_share: 3 };
    expect(
      outlook(few(3, { ...unlucky, arrivals: { at_share: 2, in_all: 2, primary: 0 } })).stuck,
    ).toBe(true);
    expect(
      outlook(few(3, { ...unlucky, arrivals: { at_share: 13, in_all: 13, primary: 0 } })).stuck,
    ).toBe(false);
  });

  test('outlook gives up on units_min where all users there are do not make it up', () => {
    const cells = [cell('assigned', 0.05, 'canary', 1), cell('assigned', 0.05, 'control', 29)];
    const low = { cells, canary_units: 1, canary_units_at_share: 1 };
    const arrivals = { at_share: 1, in_all: 1, primary: 0 };
    expect(outlook(few(3, { ...low, arrivals })).hopeless).toBe(
      '30 units in 3 days make at most 70 of units_min 150 canary units at 50 %: ' +
        'it takes 300 units within 14 days',
    );
    expect(outlook(few(2.9, { ...low, arrivals })).hopeless).toBeNull();
    expect(outlook(few(3, { ...low, arrivals: null })).hopeless).toBeNull();
    // After days without a permit the last day's pace says more than the mean.
    expect(
      outlook(few(3, { ...low, arrivals: { at_share: 30, in_all: 30, primary: 0 } })).hopeless,
    ).toBeNull();
  });

  test('outlook calls units exhausted where days_max would not bring as many again', () => {
    expect(outlook(few(2, { arrivals: { at_share: 30, in_all: 42, primary: 0 } })).exhausted).toBe(
      true,
    );
    expect(outlook(few(2, { arrivals: { at_share: 30, in_all: 43, primary: 0 } })).exhausted).toBe(
      false,
    );
  });
});
