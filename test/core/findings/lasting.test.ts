import { describe, expect, test } from 'vitest';
import {
  isLasting,
  lastingLevel,
  lastingRate,
  lastingWords,
  standsMatured,
} from '../../../src/core/findings/lasting.ts';
import { testQuantile } from '../../../src/core/findings/quantiles.ts';
import { isMissing, testRate } from '../../../src/core/findings/rates.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import { cell, HOUR, hourly, lognormal, NOW_MS, observed } from '../../oracle/observation.ts';

const PAST = [cell(null, 'error', 140, 14_000)];

function rateIn(at: (hour: number) => number, count = 100) {
  const series = [hourly('error', at, { noise: 0.01, count })];
  const scene = sceneOf(observed([cell(null, 'error', 100, 2000)], PAST, { series }));
  const test = testRate(scene, scene.observation.segments[0] as never, 'error', {
    units_min: 20,
    events_min: 5,
  });
  if (test === null || isMissing(test)) throw new Error('there is no test');
  return lastingRate(scene, test);
}

describe('lastingRate', () => {
  test('lastingRate lets a rise of all day, or of its newest hours, be acted on', () => {
    expect(isLasting(rateIn(() => 0.05))).toBe(true);
    const newest = rateIn((hour) => (hour >= 188 ? 0.2 : 0.01));
    expect(newest?.worst).toBeCloseTo(0.25, 1);
    expect(isLasting(newest)).toBe(true);
  });

  test('lastingRate holds back what one hour made, and what is over', () => {
    const hour = rateIn((hour) => (hour === 191 ? 0.9 : 0.01));
    expect(hour?.worst).toBeGreaterThan(0.9);
    expect(lastingWords(hour)).toMatch(/One hour alone made \d+\.\d % of it/);
    const over = rateIn((hour) => (hour >= 170 && hour < 180 ? 0.2 : 0.005), 400);
    expect(over).toMatchObject({ over: true });
    expect(lastingWords(over)).toMatch(/newest hours are back/);
    expect([hour, over].map(isLasting)).toEqual([false, false]);
  });

  test('lastingRate says nothing where no series does, and stands in no way', () => {
    const scene = sceneOf(observed([cell(null, 'error', 100, 2000)], PAST));
    const [one] = scene.observation.segments;
    const asked = one && testRate(scene, one, 'error', { units_min: 20, events_min: 5 });
    if (!asked || isMissing(asked)) throw new Error('there is no test');
    expect(lastingRate(scene, asked)).toBeNull();
    expect(isLasting(null)).toBe(true);
    expect(lastingWords(null)).toBe('');
  });
});

test('standsMatured asks only what was said of calls that are half an hour old', () => {
  const stands = (at: (hour: number) => number, at_ms = NOW_MS) => {
    const series = [hourly('dissatisfied', at, { noise: 0.01, count: 40 })];
    const change = { series, at_ms, window: { from_ms: NOW_MS - 4 * HOUR, to_ms: at_ms } };
    const scene = sceneOf(observed([cell(null, 'dissatisfied', 48, 160)], [], change));
    const [one] = scene.observation.segments;
    const asked = one && testRate(scene, one, 'dissatisfied', { units_min: 20, events_min: 5 });
    if (!asked || isMissing(asked)) throw new Error('there is no test');
    return standsMatured(scene, asked);
  };
  const angry_first = (hour: number): number => (hour === 191 ? 0.9 : 0.1);
  expect(stands(angry_first)).toBe(false);
  expect(stands(() => 0.3)).toBe(true);
  // Half an hour later the same hour has matured.
  expect(stands(angry_first, NOW_MS + 29 * 60_000)).toBe(false);
  expect(stands(angry_first, NOW_MS + 30 * 60_000)).toBe(true);
  const none = sceneOf(observed([cell(null, 'dissatisfied', 48, 160)]));
  const [one] = none.observation.segments;
  const asked = one && testRate(none, one, 'dissatisfied', { units_min: 20, events_min: 5 });
  expect(asked && !isMissing(asked) ? standsMatured(none, asked) : 'no test').toBeNull();
});

function levelIn(at: (hour: number) => number, noise = 0.05) {
  const now = cell(null, 'error', 0, 2000, { quantities: { latency_ms: lognormal(960, 2000) } });
  const past = cell(null, 'error', 0, 9000, { quantities: { latency_ms: lognormal(800, 9000) } });
  const series = [hourly('latency_p50_ms', at, { noise })];
  const scene = sceneOf(observed([now], [past], { series }));
  const test = testQuantile(scene, now, 'latency_ms', 0.5, { correlation: 0.1, margin: 0.05 });
  if (test === null || isMissing(test)) throw new Error('there is no test');
  return lastingLevel(scene, test);
}

describe('lastingLevel', () => {
  test('lastingLevel lets a day of slow answers be acted on, and not one slow hour', () => {
    expect(isLasting(levelIn((hour) => (hour >= 168 ? 960 : 800)))).toBe(true);
    const hour = levelIn((hour) => (hour === 180 ? 4000 : 800), 0.02);
    expect(hour?.worst).toBeGreaterThan(0.8);
    expect(isLasting(hour)).toBe(false);
  });

  test('lastingLevel sees that the newest hours are as ever', () => {
    const over = levelIn((hour) => (hour >= 168 && hour < 188 ? 1200 : hour < 168 ? 800 : 780));
    expect(over).toMatchObject({ over: true });
  });
});
