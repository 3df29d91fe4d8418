import { describe, expect, test } from 'vitest';
import { levelOnset, rateOnset } from '../../../src/core/findings/onset.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
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

test('levelOnset knows how little the median of a few calls at night says', () => {
  const calls = (hour: number): number => (hour % 24 < 6 || hour % 24 >= 18 ? 2 : 50);
  const noise = (hour: number): number => 0.8 / Math.sqrt(calls(hour));
  const loud = Array.from({ length: 100 }, (_, seed) => {
    const options = { noise, seed: seed + 1, count: calls };
    return (
      levelOnset(
        scene,
        hourly('latency_p50_ms', () => 800, options),
        [],
      )?.p ?? 1
    );
  }).filter((p) => p < 0.01);
  expect(loud.length).toBeLessThan(3);
});
