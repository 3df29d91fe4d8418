import { expect, test } from 'vitest';
import { residualsOf } from '../../../src/core/findings/residuals.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import { HOUR, hourly, NOW_MS, observed } from '../../oracle/observation.ts';

const HOURS = 8 * 24;
const scene = sceneOf(observed([]));
const season = (hour: number): number => 1 + 0.4 * Math.sin((hour / 24) * 2 * Math.PI);

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

test('residualsOf says nothing of an hour that fewer than three days know', () => {
  const series = hourly('latency_p50_ms', () => 800);
  // Five o'clock was measured on two days before the window, and in it.
  const values = series.values.map((value, hour) =>
    hour % 24 === 5 && hour >= 48 && hour < HOURS - 24 ? null : value,
  );
  const residuals = residualsOf(scene, { ...series, values });
  expect(residuals?.levels.flatMap((level, hour) => (level === null ? [hour] : []))).toEqual([5]);
  expect(residuals?.z[HOURS - 24 + 5]).toBeNull();
  expect(residuals?.z[HOURS - 24 + 6]).not.toBeNull();
});

test('residualsOf gives a night of two calls no more weight than two calls have', () => {
  const isNight = (hour: number): boolean => hour % 24 < 6;
  const calls = (hour: number): number => (isNight(hour) ? 2 : 50);
  const nights = Array.from({ length: 200 }, (_, seed) => {
    const noise = (hour: number): number => 0.7 / Math.sqrt(calls(hour));
    const series = hourly('cost_mean_usd', () => 0.01, { noise, seed: seed + 1, count: calls });
    return residualsOf(scene, series)?.z.slice(HOURS - 24, HOURS - 18) ?? [];
  }).flat();
  const far = nights.filter((z) => Math.abs(z ?? 0) > 3).length;
  // Of 1,200 normal values about 3 are as far off; over the spread of all hours it were 45.
  expect(nights).toHaveLength(1200);
  expect(far).toBeLessThan(10);
});
