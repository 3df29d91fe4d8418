import { expect, test } from 'vitest';
import { hoursEffect } from '../../../src/core/findings/hours.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import type { Series, Window } from '../../../src/core/observation.ts';
import { mean } from '../../../src/core/series/numbers.ts';
import { HOUR, hourly, NOW_MS, observed } from '../../oracle/observation.ts';

const DAY: Window = { from_ms: NOW_MS - 24 * HOUR, to_ms: NOW_MS };
const afternoon = (hour: number): number => (hour % 24 >= 12 ? 1200 : 800);
const effectOf = (series: Series, window: Window) =>
  hoursEffect(sceneOf(observed([], [], { series: [series], window })), series);

test('hoursEffect holds a window of an afternoon against afternoons', () => {
  const series = hourly('latency_p50_ms', afternoon, { noise: 0.01 });
  const half: Window = { from_ms: NOW_MS - 12 * HOUR, to_ms: NOW_MS };
  const { factor, error } = effectOf(series, half);
  // Half of the usual calls come before noon: against the mean of both logarithms.
  expect(factor).toBeCloseTo(Math.sqrt(1200 / 800), 2);
  expect(error).toBeLessThan(0.01);
});

test('hoursEffect of a whole day like any other is 1, and without doubt', () => {
  const { factor, error } = effectOf(hourly('latency_p50_ms', afternoon, { noise: 0.2 }), DAY);
  expect(factor).toBeCloseTo(1, 10);
  expect(error).toBeCloseTo(0, 10);
});

test('hoursEffect says nothing where no three days are known', () => {
  const series = hourly('latency_p50_ms', afternoon);
  const young = { ...series, values: series.values.map((one, hour) => (hour < 110 ? null : one)) };
  expect(effectOf(young, DAY)).toEqual({ factor: 1, error: 0 });
});

test('hoursEffect has the error that it says, where traffic came at other hours', () => {
  const effects = Array.from({ length: 300 }, (_, seed) => {
    const series = hourly('latency_p50_ms', () => 800, { noise: 0.25, seed: seed + 1 });
    const counts = series.counts.map((_, hour) => (hour >= 168 && hour % 24 < 8 ? 400 : 25));
    return effectOf({ ...series, counts }, DAY);
  });
  const spread = Math.sqrt(mean(effects.map(({ factor }) => Math.log(factor) ** 2)));
  const said = mean(effects.map(({ error }) => error));
  expect(said / spread).toBeGreaterThan(0.9);
  expect(said / spread).toBeLessThan(1.35);
});
