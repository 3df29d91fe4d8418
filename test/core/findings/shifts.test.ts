import { expect, test } from 'vitest';
import { residualsOf } from '../../../src/core/findings/residuals.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import { mayShift, shiftAt, shiftDraft } from '../../../src/core/findings/shifts.ts';
import type { Series } from '../../../src/core/observation.ts';
import { hourly, observed } from '../../oracle/observation.ts';

const HOURS = 8 * 24;
const scene = sceneOf(observed([]));

function residualsIn(series: Series) {
  const residuals = residualsOf(scene, series);
  if (residuals === null) throw new Error('there are no residuals');
  return residuals;
}

test('shiftAt pays for the choice of the place', () => {
  const level = (hour: number): number => (hour >= HOURS - 8 ? 1000 : 800);
  const residuals = residualsIn(hourly('latency_p50_ms', level));
  const shift = shiftAt(residuals, HOURS - 8);
  expect(shift?.z).toBeGreaterThan(3);
  expect(shift?.p_week).toBeLessThan(1e-6);
  expect(shiftAt(residuals, HOURS - 25)).toBeNull();
});

test('mayShift says no only where no beginning of a shift would pass', () => {
  const answers = Array.from({ length: 60 }, (_, seed) => {
    // From nothing to a third more, for the last hours of the window.
    const at = (hour: number): number => (hour >= HOURS - 6 ? 800 * (1 + seed / 180) : 800);
    const residuals = residualsIn(hourly('latency_p50_ms', at, { seed: seed + 1 }));
    const from = HOURS - 12;
    const ps = Array.from({ length: 12 }, (_, step) => shiftAt(residuals, from + step)?.p_week);
    const least = Math.min(...ps.map((p) => p ?? 1));
    expect(mayShift(residuals, from, 0.01)).toBe(least <= 0.01);
    return least <= 0.01;
  });
  expect(new Set(answers).size).toBe(2);
});

test('shiftDraft calls more of what is good no harm, and more of what is bad worse', () => {
  const level = (hour: number): number => (hour >= HOURS - 8 ? 0.7 : 0.3);
  const drafted = ['satisfied', 'model_satisfied', 'accepted', 'retry'].map((metric) => {
    const series = hourly(metric as Series['metric'], level, { count: 200, noise: 0 });
    const shift = shiftAt(residualsIn(series), HOURS - 8);
    if (shift === null) throw new Error(`${metric}: no shift`);
    const { direction, level: may } = shiftDraft(scene, shift, 'a test', null);
    return `${metric} ${direction} ${may}`;
  });
  expect(drafted).toEqual([
    'satisfied changed note',
    'model_satisfied changed note',
    'accepted changed note',
    'retry worse investigate',
  ]);
});

/** Fourteen days; the last is a Sunday, and weekends have half of the calls. */
const DAYS = 14;
const weekend = (hour: number): number => (Math.floor(hour / 24) % 7 >= 5 ? 0.5 : 1);
const night = (hour: number): number => 1 + 0.5 * Math.sin((hour / 24) * 2 * Math.PI);
const load = (hour: number): number => 60 * night(hour) * weekend(hour);

test('shiftAt holds a Sunday against the Sunday before, and not against the days of work', () => {
  const series = hourly('calls', load, { days: DAYS, noise: 0.15 });
  const shift = shiftAt(residualsIn(series), DAYS * 24 - 24);
  expect(shift?.z).toBeLessThan(-1);
  expect(shift?.p_week).toBe(1);
});

test('shiftAt sees a Sunday with half the calls of a Sunday, and expected those of one', () => {
  const from = DAYS * 24 - 12;
  const level = (hour: number): number => load(hour) * (hour >= from ? 0.4 : 1);
  const series = hourly('calls', level, { days: DAYS, noise: 0.15 });
  const shift = shiftAt(residualsIn(series), from);
  if (shift === null) throw new Error('there is no shift');
  expect(shift.p_week).toBeLessThan(0.01);
  const { yardstick, estimate, level: may } = shiftDraft(scene, shift, 'a test', null);
  expect(estimate / yardstick.value).toBeGreaterThan(0.3);
  expect(estimate / yardstick.value).toBeLessThan(0.55);
  expect(may).toBe('note');
});

test('shiftAt says nothing of the load on a day of the week that it has never seen', () => {
  const young = hourly('calls', (hour) => load(hour + 24), { days: 6, noise: 0.15 });
  expect(shiftAt(residualsIn(young), 6 * 24 - 12)).toBeNull();
  const latency = hourly('latency_p50_ms', (hour) => 800 * weekend(hour), { days: 6 });
  expect(shiftAt(residualsIn(latency), 6 * 24 - 12)).not.toBeNull();
});

test('shiftAt does not let a week that was off the other way accuse this one', () => {
  const dip = (hour: number): number => (hour >= 6 * 24 && hour < 7 * 24 ? 600 : 800);
  const series = hourly('latency_p50_ms', dip, { days: DAYS });
  expect(shiftAt(residualsIn(series), DAYS * 24 - 24)?.p_week).toBe(1);
});
