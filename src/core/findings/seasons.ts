import type { Series, Window } from '../observation.ts';
import { median } from '../series/numbers.ts';
import type { Count } from '../statistics/tails.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 24 * 3_600_000;
/** Earlier days that a season needs: fewer tell a day from another by chance. */
const DAYS_MIN = 3;
const STEPS_MIN = 24;
/** A window that has this share of the day's hours compares with whole days. */
const WHOLE_DAY = 0.9;
/** An incident of the past is no reason to believe any excess. */
const DISPERSION_MAX = 25;

interface Indexed {
  readonly index: number;
  readonly at_ms: number;
}

function stepsOf(series: Series, { from_ms, to_ms }: Window): readonly Indexed[] {
  return series.values.flatMap((value, index) => {
    const at_ms = series.from_ms + index * series.step_ms;
    const inside = at_ms >= from_ms && at_ms < to_ms;
    return inside && value !== null ? [{ index, at_ms }] : [];
  });
}

/** Steps of the seven days before the window. */
function stepsBefore(series: Series, window: Window): readonly Indexed[] {
  return stepsOf(series, { from_ms: window.from_ms - 7 * DAY_MS, to_ms: window.from_ms });
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
  const { window } = scene.observation;
  const now = stepsOf(series, window);
  const hours = new Set(now.map(({ at_ms }) => hourOf(at_ms, series.step_ms)));
  if (now.length === 0 || hours.size * series.step_ms > WHOLE_DAY * DAY_MS) return null;
  const before = stepsBefore(series, window).filter(({ at_ms }) =>
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
  const steps = stepsBefore(series, scene.observation.window);
  const { units, events } = countIn(series, steps);
  if (steps.length < STEPS_MIN || events <= 0 || events >= units) return 1;
  const rate = events / units;
  const squares = steps.flatMap(({ index }) => {
    const held = series.counts[index] ?? 0;
    const expected = held * rate;
    // Where hardly an event is expected, a step says nothing of how they spread.
    if (expected < 2) return [];
    const off = held * (series.values[index] ?? 0) - expected;
    return [off ** 2 / (expected * (1 - rate))];
  });
  return dispersionOf(squares);
}

/** The median of a chi-square with one degree of freedom. */
const CHI_SQUARE_MEDIAN = 0.454936;

function dispersionOf(squares: readonly number[]): number {
  if (squares.length < STEPS_MIN) return 1;
  return Math.min(DISPERSION_MAX, Math.max(1, median(squares) / CHI_SQUARE_MEDIAN));
}

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
  const steps = stepsBefore(series, scene.observation.window);
  const levels = hourLevels(series, steps);
  const squares = steps.flatMap(({ index, at_ms }) => {
    const value = series.values[index] ?? 0;
    const level = levels.get(hourOf(at_ms, series.step_ms));
    const held = series.counts[index] ?? 0;
    if (value <= 0 || level === undefined || held < 5) return [];
    return [((Math.log(value) - level) ** 2 * held) / ((Math.PI / 2) * log_variance)];
  });
  return dispersionOf(squares);
}

function hourLevels(series: Series, steps: readonly Indexed[]): ReadonlyMap<number, number> {
  const byHour = new Map<number, number[]>();
  for (const { index, at_ms } of steps) {
    const value = series.values[index] ?? 0;
    if (value <= 0) continue;
    const hour = hourOf(at_ms, series.step_ms);
    byHour.set(hour, [...(byHour.get(hour) ?? []), Math.log(value)]);
  }
  return new Map([...byHour].map(([hour, logs]) => [hour, median(logs)]));
}

/**
 * By how much the window's hours usually differ from the whole day, as a factor: a window that
 * began at noon is held against noons. 1 where the past is too short to say.
 */
export function hoursFactor(scene: Scene, series: Series | undefined): number {
  if (!series) return 1;
  const { window } = scene.observation;
  const before = stepsBefore(series, window);
  const levels = hourLevels(series, before);
  const now = stepsOf(series, window).map(({ at_ms }) => hourOf(at_ms, series.step_ms));
  if (before.length < DAYS_MIN * levels.size || !now.every((hour) => levels.has(hour))) return 1;
  if (now.length === 0) return 1;
  const weighted = (steps: readonly { hour: number; held: number }[]): number => {
    const held = steps.reduce((sum, one) => sum + one.held, 0);
    const sum = steps.reduce((sum, one) => sum + one.held * (levels.get(one.hour) ?? 0), 0);
    return held > 0 ? sum / held : 0;
  };
  const heldAt = ({ index, at_ms }: Indexed) => ({
    hour: hourOf(at_ms, series.step_ms),
    held: series.counts[index] ?? 0,
  });
  const usual = before.map(heldAt).filter(({ hour }) => levels.has(hour));
  return Math.exp(weighted(stepsOf(series, window).map(heldAt)) - weighted(usual));
}
