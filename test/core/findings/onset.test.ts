import { describe, expect, test } from 'vitest';
import { levelOnset, rateOnset } from '../../../src/core/findings/onset.ts';
import { residualsOf } from '../../../src/core/findings/residuals.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import { mayShift, shiftAt } from '../../../src/core/findings/shifts.ts';
import { HOUR, hourly, NOW_MS, observed } from '../../oracle/observation.ts';

const HOURS = 8 * 24;
const scene = sceneOf(observed([]));
const season = (hour: number): number => 1 + 0.4 * Math.sin((hour / 24) * 2 * Math.PI);

describe('rateOnset', () => {
  const rising = (hour: number): number => (hour >= HOURS - 4 ? 0.08 : 0.02);

  test('rateOnset sees four bad hours at the end of a day of good ones, and since when', () => {
    const onset = rateOnset(scene, hourly('error', rising, { count: 500 }), []);
    expect(onset?.p).toBeLessThan(1e-9);
    expect(onset?.since_ms).toBe(NOW_MS - 4 * HOUR);
    expect(onset?.here.units).toBe(2000);
  });

  test('rateOnset is silent on what befell the peers in the same hours', () => {
    const peer = hourly('error', rising, { target: 'mini', count: 500, seed: 2 });
    const alone = rateOnset(scene, hourly('error', rising, { target: 'demo', count: 500 }), [peer]);
    expect(alone?.p ?? 1).toBeGreaterThan(0.01);
  });

  test('rateOnset does not take the worst hour of every day for news', () => {
    const daily = (hour: number): number => (hour % 24 === 23 ? 0.1 : 0.02);
    const onset = rateOnset(scene, hourly('error', daily, { count: 500 }), []);
    expect(onset?.p ?? 1).toBeGreaterThan(0.01);
  });
});

describe('levelOnset', () => {
  test('levelOnset sees a fifth more latency for six hours of a seasonal day', () => {
    const level = (hour: number): number => 800 * season(hour) * (hour >= HOURS - 6 ? 1.2 : 1);
    const onset = levelOnset(scene, hourly('latency_p50_ms', level), []);
    expect(onset?.p).toBeLessThan(1e-6);
    expect((onset?.here ?? 0) / (onset?.there ?? 1)).toBeCloseTo(1.2, 1);
  });

  test('levelOnset finds nothing where nothing changed, in 40 of 40 weeks at 1 in 1,000', () => {
    const loud = Array.from({ length: 40 }, (_, seed) => {
      const series = hourly('latency_p50_ms', (hour) => 800 * season(hour), { seed: seed + 1 });
      return levelOnset(scene, series, [])?.p ?? 1;
    }).filter((p) => p < 0.001);
    expect(loud).toEqual([]);
  });
});

describe('residualsOf', () => {
  test('residualsOf takes off the hour of the day and leaves out the step that is not over', () => {
    const series = hourly('latency_p50_ms', (hour) => 800 * season(hour));
    const residuals = residualsOf(scene, series);
    expect(residuals?.z).toHaveLength(HOURS);
    expect(residuals?.from).toBe(HOURS - 24);
    expect(Math.max(...(residuals?.z ?? []).map((z) => Math.abs(z ?? 0)))).toBeLessThan(5);
    const half = sceneOf(
      observed([], [], { window: { from_ms: NOW_MS - 24 * HOUR, to_ms: NOW_MS - HOUR / 2 } }),
    );
    expect(residualsOf(half, series)?.z).toHaveLength(HOURS - 1);
  });

  test('residualsOf refuses a short past and rates too rare for a normal test', () => {
    const rare = hourly('error', () => 0.01, { count: 20 });
    expect(residualsOf(scene, rare)).toBeNull();
    const short = { ...hourly('latency_p50_ms', () => 800), from_ms: NOW_MS - 2 * 24 * HOUR };
    expect(residualsOf(scene, short)).toBeNull();
  });

  test('shiftAt pays for the choice of the place', () => {
    const series = hourly('latency_p50_ms', (hour) => (hour >= HOURS - 8 ? 1000 : 800));
    const residuals = residualsOf(scene, series);
    if (!residuals) throw new Error('there are no residuals');
    const shift = shiftAt(residuals, HOURS - 8);
    expect(shift?.z).toBeGreaterThan(3);
    expect(shift?.p_week).toBeLessThan(1e-6);
    expect(shiftAt(residuals, HOURS - 25)).toBeNull();
  });
});

test('mayShift says no only where no beginning of a shift would pass', () => {
  const answers = Array.from({ length: 60 }, (_, seed) => {
    // From nothing to a third more, for the last hours of the window.
    const at = (hour: number): number => (hour >= HOURS - 6 ? 800 * (1 + seed / 180) : 800);
    const residuals = residualsOf(scene, hourly('latency_p50_ms', at, { seed: seed + 1 }));
    if (residuals === null) throw new Error('there are no residuals');
    const from = HOURS - 12;
    const ps = Array.from({ length: 12 }, (_, step) => shiftAt(residuals, from + step)?.p_week);
    const least = Math.min(...ps.map((p) => p ?? 1));
    expect(mayShift(residuals, from, 0.01)).toBe(least <= 0.01);
    return least <= 0.01;
  });
  expect(new Set(answers).size).toBe(2);
});
