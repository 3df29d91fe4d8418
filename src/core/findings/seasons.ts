import type { Series, Window } from '../observation.ts';
import { median } from '../series/numbers.ts';
import type { Count } from '../statistics/tails.ts';
import type { Scene } from './scene.ts';

export const DAY_MS = 24 * 3_600_000;
/** Earlier days that a season needs: fewer tell a day from another by chance. */
export const DAYS_MIN = 3;
const STEPS_MIN = 24;
/** A window that has this share of the day's hours compares with whole days. */
const WHOLE_DAY = 0.9;
/** An incident of the past is no reason to believe any excess. */
const DISPERSION_MAX = 25;

export interface Indexed {
  readonly index: number;
  readonly at_ms: number;
}

export function stepsOf(series: Series, { from_ms, to_ms }: Window): readonly Indexed[] {
  const { values, step_ms } = series;
  const steps: Indexed[] = [];
  let index = Math.max(0, Math.floor((from_ms - series.from_ms) / step_ms));
  for (; index < values.length; index += 1) {
    const at_ms = series.from_ms + index * step_ms;
    if (at_ms >= to_ms) break;
    if (at_ms >= from_ms && values[index] !== null) steps.push({ index, at_ms });
  }
  return steps;
}

/** Steps of the seven days before the window. */
export function stepsBefore(series: Series, window: Window): readonly Indexed[] {
  return stepsOf(series, { from_ms: window.from_ms - 7 * DAY_MS, to_ms: window.from_ms });
}

/** The same of a scene, for all who ask. */
export function stepsNow({ observation, once }: Scene, series: Series): readonly Indexed[] {
  return once(series, 'now', () => stepsOf(series, observation.window));
}

export function stepsPast({ observation, once }: Scene, series: Series): readonly Indexed[] {
  return once(series, 'past', () => stepsBefore(series, observation.window));
}

export const hourOf = (at_ms: number, step_ms: number): number =>
  Math.floor((at_ms % DAY_MS) / step_ms);

/**
 * A rate by steps, like with like, for a window that does not go once round the clock: its steps,
 * and those at the same hours of the days before. A unit counts in each step that it came in, so
 * the rates are of unit-steps. Null where the window has every hour (then the whole past compares),
 * or where fewer than three earlier days have its hours.
 */
export function seasonCounts(
  scene: Scene,
  series: Series | undefined,
): { readonly here: Count; readonly there: Count } | null {
  if (!series) return null;
  return scene.once(series, 'season', () => newSeason(scene, series));
}

function newSeason(scene: Scene, series: Series): ReturnType<typeof seasonCounts> {
  const now = stepsNow(scene, series);
  const hours = new Set(now.map(({ at_ms }) => hourOf(at_ms, series.step_ms)));
  if (now.length === 0 || hours.size * series.step_ms > WHOLE_DAY * DAY_MS) return null;
  const before = stepsPast(scene, series).filter(({ at_ms }) =>
    hours.has(hourOf(at_ms, series.step_ms)),
  );
  if (before.length < DAYS_MIN * hours.size) return null;
  return { here: countIn(series, now), there: countIn(series, before) };
}

function countIn({ values, counts }: Series, steps: readonly Indexed[]): Count {
  let [units, events] = [0, 0];
  for (const { index } of steps) {
    const held = counts[index] ?? 0;
    units += held;
    events += held * (values[index] ?? 0);
  }
  return { units, events };
}

/**
 * How many times the chance variance the steps of the past week vary, for a rate: traffic that
 * comes in bursts deceives more often than independent units do. By the median absolute deviation,
 * so that one incident of the past does not hide the next. At least 1.
 */
export function rateDispersion(scene: Scene, series: Series | undefined): number {
  if (!series) return 1;
  return scene.once(series, 'dispersion', () => newRateDispersion(scene, series));
}

function newRateDispersion(scene: Scene, series: Series): number {
  const steps = stepsPast(scene, series);
  const { units, events } = countIn(series, steps);
  if (steps.length < STEPS_MIN || events <= 0 || events >= units) return 1;
  const rate = events / units;
  const offs = steps.flatMap(({ index, at_ms }): Off[] => {
    const held = series.counts[index] ?? 0;
    const expected = held * rate;
    // Where hardly an event is expected, a step says nothing of how they spread.
    if (expected < 2) return [];
    const off = held * (series.values[index] ?? 0) - expected;
    const hour = hourOf(at_ms, series.step_ms);
    return [{ index, hour, off: off / Math.sqrt(expected * (1 - rate)) }];
  });
  return dispersionOf(offs);
}

/** The median of a chi-square with one degree of freedom. */
const CHI_SQUARE_MEDIAN = 0.454936;

/** How far a step was off, over what chance alone makes. */
interface Off {
  readonly index: number;
  readonly hour: number;
  readonly off: number;
}

function dispersionOf(offs: readonly Off[]): number {
  if (offs.length < STEPS_MIN) return 1;
  const spread = median(offs.map(({ off }) => off * off)) / CHI_SQUARE_MEDIAN;
  return Math.min(DISPERSION_MAX, Math.max(1, spread) * persistenceOf(offs));
}

const Z_95_ONE_SIDED = 1.6448536269514722;

/**
 * How many times the variance of a mean of steps grows because a step is like the one before it: (1
 * + ρ) / (1 − ρ). ρ is that of signs about the median of the hour (the quadrant correlation, N.
 * Blomqvist 1950), so that one incident does not count as a habit, nor the rhythm of days; one that
 * chance alone makes is none.
 */
function persistenceOf(offs: readonly Off[]): number {
  const hours = new Map<number, number[]>();
  for (const { hour, off } of offs) {
    const same = hours.get(hour) ?? [];
    same.push(off);
    hours.set(hour, same);
  }
  const middles = new Map([...hours].map(([hour, same]) => [hour, median(same)]));
  const signOf = ({ hour, off }: Off): number => Math.sign(off - (middles.get(hour) ?? 0));
  let [sum, pairs] = [0, 0];
  for (const [place, one] of offs.entries()) {
    const before = offs[place - 1];
    if (before?.index !== one.index - 1) continue;
    sum += signOf(one) * signOf(before);
    pairs += 1;
  }
  const alike = sum / Math.max(1, pairs);
  if (pairs < STEPS_MIN || alike < Z_95_ONE_SIDED / Math.sqrt(pairs)) return 1;
  const rho = Math.min(RHO_MAX, Math.sin((Math.PI / 2) * alike));
  return (1 + rho) / (1 - rho);
}
const RHO_MAX = 0.9;

/**
 * The same for the median of a quantity whose logarithm has variance `log_variance`: the median of
 * n values has about π/2 of the mean's variance. The hour of the day is taken off first.
 */
export function medianDispersion(
  scene: Scene,
  series: Series | undefined,
  log_variance: number,
): number {
  if (!series || log_variance <= 0) return 1;
  const name = `dispersion over ${log_variance}`;
  return scene.once(series, name, () => newMedianDispersion(scene, series, log_variance));
}

function newMedianDispersion(scene: Scene, series: Series, log_variance: number): number {
  const steps = stepsPast(scene, series);
  const levels = scene.once(series, 'levels', () => hourLevels(series, steps));
  const chance = (Math.PI / 2) * log_variance;
  const offs = steps.flatMap(({ index, at_ms }): Off[] => {
    const value = series.values[index] ?? 0;
    const hour = hourOf(at_ms, series.step_ms);
    const level = levels.get(hour);
    const held = series.counts[index] ?? 0;
    if (value <= 0 || level === undefined || held < 5) return [];
    return [{ index, hour, off: (Math.log(value) - level) * Math.sqrt(held / chance) }];
  });
  return dispersionOf(offs);
}

function hourLevels(series: Series, steps: readonly Indexed[]): ReadonlyMap<number, number> {
  const byHour = new Map<number, number[]>();
  for (const { index, at_ms } of steps) {
    const value = series.values[index] ?? 0;
    if (value <= 0) continue;
    const hour = hourOf(at_ms, series.step_ms);
    const logs = byHour.get(hour) ?? [];
    logs.push(Math.log(value));
    byHour.set(hour, logs);
  }
  return new Map([...byHour].map(([hour, logs]) => [hour, median(logs)]));
}
