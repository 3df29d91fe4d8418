import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holding, isMissing, type RateTest, testRate } from '../../../src/core/findings/rates.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import type { Observation, UnitMetric } from '../../../src/core/observation.ts';
import { wilsonInterval } from '../../../src/core/statistics.ts';
import { cell, HOUR, hourly, NOW_MS, observed } from '../../oracle/observation.ts';

const SETTINGS = { units_min: 20, events_min: 5 };

function testIn(observation: Observation, metric: UnitMetric = 'dissatisfied', which = 0) {
  const scene = sceneOf(observation);
  const asked = observation.segments[which];
  if (!asked) throw new Error('no such cell');
  return testRate(scene, asked, metric, SETTINGS);
}

function held(observation: Observation, metric: UnitMetric = 'dissatisfied', which = 0): RateTest {
  const test = testIn(observation, metric, which);
  if (test === null || isMissing(test)) throw new Error('there is no test');
  return test;
}

describe('testRate', () => {
  test('testRate clears only what has 20 units, 5 events and a Wilson bound above the bar', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.nat({ max: 300 }), (events, rest) => {
        const units = events + rest;
        const result = testIn(observed([cell(null, 'dissatisfied', events, units)]));
        const clears = result !== null && !isMissing(result) && result.clears;
        const above = wilsonInterval(events, units)[0] > 0.15;
        expect(clears).toBe(units >= 20 && events >= 5 && above);
      }),
    );
  });

  test('testRate says what is missing and when it may be there', () => {
    const few = testIn(observed([cell(null, 'dissatisfied', 10, 10)]));
    expect(few).toEqual({
      segment: { agent: 'duo', target: null },
      metric: 'dissatisfied',
      units: 10,
      required: 20,
      of: 'units',
      eta_ms: NOW_MS + 24 * HOUR,
    });
    expect(testIn(observed([cell(null, 'dissatisfied', 0, 0)]))).toMatchObject({ eta_ms: null });
    // Two events in 25 units lie above the past; five would come with 63 units.
    const past = [cell(null, 'error', 1, 1000)];
    const rare = testIn(observed([cell(null, 'error', 2, 25)], past), 'error');
    expect(rare).toMatchObject({ units: 25, required: 63 });
    const new_signal = testIn(observed([cell(null, 'retry', 9, 100)]), 'retry');
    expect(new_signal).toMatchObject({ units: 0, required: 20, eta_ms: NOW_MS + 24 * HOUR });
  });

  test('testRate holds a target against its peers where it is worse than the policy allows', () => {
    const segments = [cell('demo', 'dissatisfied', 45, 50), cell('mini', 'dissatisfied', 5, 50)];
    expect(held(observed(segments)).yardstick).toMatchObject({ kind: 'peers', value: 0.1 });
    // A little worse than a peer and within the policy: that is how it is.
    const fine = [cell('demo', 'error', 30, 1000), cell('mini', 'error', 5, 1000)];
    const past = [cell('demo', 'error', 30, 1000), cell('mini', 'error', 5, 1000)];
    expect(held(observed(fine, past), 'error')).toMatchObject({ clears: false });
  });

  test('testRate finds what got worse though a peer is worse still', () => {
    const segments = [cell('demo', 'error', 40, 1000), cell('mini', 'error', 45, 1000)];
    const past = [cell('demo', 'error', 30, 6000), cell('mini', 'error', 270, 6000)];
    const result = held(observed(segments, past), 'error');
    expect(result).toMatchObject({ clears: true, yardstick: { kind: 'past', value: 0.005 } });
    expect(result.p).toBeLessThan(1e-6);
  });

  test('testRate leaves to the agent what befell all its targets', () => {
    const segments = [cell('demo', 'error', 40, 1000), cell('mini', 'error', 40, 1000)];
    const past = [cell('demo', 'error', 60, 6000), cell('mini', 'error', 60, 6000)];
    const result = held(observed(segments, past), 'error');
    expect(result.clears).toBe(false);
    expect(result.yardstick.common).toBeCloseTo(0.03, 10);
  });

  test('testRate takes no past that was itself worse than the threshold', () => {
    const past = [cell(null, 'dissatisfied', 400, 500)];
    const result = held(observed([cell(null, 'dissatisfied', 48, 60)], past));
    expect(result.yardstick).toMatchObject({ kind: 'threshold', value: 0.15 });
  });

  test('testRate holds a window of an afternoon against afternoons, not against days', () => {
    // Errors are 8 % in the afternoon and 0 % else, every day; the window has four such hours.
    const afternoon = (hour: number): number => (hour % 24 >= 20 ? 0.08 : 1e-9);
    const series = [hourly('error', afternoon, { noise: 0.01, count: 100 })];
    const window = { from_ms: NOW_MS - 4 * HOUR, to_ms: NOW_MS };
    const past = [cell(null, 'error', 90, 7000)];
    const thresholds = observed([]).thresholds;
    const loose = {
      ...thresholds,
      performance: { ...thresholds.performance, success_rate: { target: 0.8 } },
    };
    const change = { series, window, thresholds: loose };
    const result = held(observed([cell(null, 'error', 32, 400)], past, change), 'error');
    expect(result.yardstick.kind).toBe('season');
    expect(result.yardstick.value).toBeCloseTo(0.08, 2);
    expect(result.clears).toBe(false);
    const naive = held(
      observed([cell(null, 'error', 32, 400)], past, { window, thresholds: loose }),
      'error',
    );
    expect(naive.clears).toBe(true);
  });
});

test('holding keeps what clears its bar and passes among all that were asked', () => {
  const one = (p_week: number, clears: boolean, said: string) => ({ p_week, clears, said });
  const noise = Array.from({ length: 18 }, (_, index) => one(0.3 + index / 50, true, 'noise'));
  const asked = [one(1e-4, true, 'found'), one(1e-6, false, 'too small to tell'), ...noise];
  expect(holding(asked, 0.1)).toEqual(['found']);
  expect(holding([one(0.02, true, 'lone'), ...noise], 0.1)).toEqual([]);
});
