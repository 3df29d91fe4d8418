import { expect, test } from 'vitest';
import { hoursEffect, shrunkEffect } from '../../../src/core/findings/hours.ts';
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

test('shrunkEffect keeps what is sure, and nothing of what chance alone makes', () => {
  expect(shrunkEffect(0.3, 0.01).factor).toBeCloseTo(Math.exp(0.3), 3);
  expect(shrunkEffect(0.02, 0.03)).toEqual({ factor: 1, error: 0 });
  expect(shrunkEffect(-0.06, 0.04).factor).toBeCloseTo(Math.exp(-0.06 * (1 - 4 / 9)), 10);
  expect(shrunkEffect(0, 0)).toEqual({ factor: 1, error: 0 });
});

test('hoursEffect has the error that it says, where traffic came at other hours', () => {
  // Nights are slower by far, so that nothing is drawn in.
  const at = (hour: number): number => (hour % 24 < 8 ? 1600 : 800);
  const effects = Array.from({ length: 300 }, (_, seed) => {
    const series = hourly('latency_p50_ms', at, { noise: 0.25, seed: seed + 1 });
    const counts = series.counts.map((_, hour) => (hour >= 168 && hour % 24 < 8 ? 400 : 25));
    return effectOf({ ...series, counts }, DAY);
  });
  const logs = effects.map(({ factor }) => Math.log(factor));
  const spread = Math.sqrt(mean(logs.map((log) => (log - mean(logs)) ** 2)));
  const said = mean(effects.map(({ error }) => error));
  expect(said / spread).toBeGreaterThan(0.9);
  expect(said / spread).toBeLessThan(1.35);
});
