import type { Series } from '../observation.ts';
import { madSigma, median } from '../series/numbers.ts';
import type { Scene } from './scene.ts';
import { DAYS_MIN, hourOf, type Indexed, stepsNow, stepsPast } from './seasons.ts';

/** By how much something other than the cell's own trouble moves its yardstick. */
export interface Effect {
  readonly factor: number;
  /** Standard error of its logarithm: a season of few days and thin nights is a guess. */
  readonly error: number;
}

/**
 * An effect as far as it is more than chance: drawn towards none by the share of its square that
 * its own error explains (the positive part of W. James and C. Stein's shrinkage, 1961), so that a
 * yardstick without an effect is not blurred by one.
 */
export function shrunkEffect(log: number, error: number): Effect {
  const share = Math.max(0, 1 - (error / log) ** 2);
  return share > 0 ? { factor: Math.exp(share * log), error: Math.sqrt(share) * error } : NO_EFFECT;
}

export const NO_EFFECT: Effect = { factor: 1, error: 0 };

/**
 * A window that began at noon is held against noons, and one whose traffic came at night against
 * nights: the mean of the hours' usual levels, weighted as the window's calls are, over the same
 * weighted as calls usually are. Each level is a median of a few days, and its error is in the
 * result: it counts where weights differ. A factor of 1 where the past is too short to say.
 */
export function hoursEffect(scene: Scene, series: Series | undefined): Effect {
  if (!series) return NO_EFFECT;
  return scene.once(series, 'hours', () => newHoursEffect(scene, series));
}

function newHoursEffect(scene: Scene, series: Series): Effect {
  const before = stepsPast(scene, series);
  const levels = levelsOf(series, before);
  const now = weightsIn(series, stepsNow(scene, series));
  if (now.size === 0 || before.length < DAYS_MIN * levels.size) return NO_EFFECT;
  if (![...now.keys()].every((hour) => levels.has(hour))) return NO_EFFECT;
  const usual = weightsIn(series, before);
  let [log, variance] = [0, 0];
  for (const [hour, { level, error }] of levels) {
    const weight = (now.get(hour) ?? 0) - (usual.get(hour) ?? 0);
    log += weight * level;
    variance += (weight * error) ** 2;
  }
  return shrunkEffect(log, Math.sqrt(variance));
}

interface Level {
  /** Median of the logarithms of the steps at this hour, and its standard error. */
  readonly level: number;
  readonly error: number;
}

interface Told {
  readonly log: number;
  readonly held: number;
}

function levelsOf(series: Series, steps: readonly Indexed[]): ReadonlyMap<number, Level> {
  const hours = new Map<number, Told[]>();
  for (const { index, at_ms } of steps) {
    const value = series.values[index] ?? 0;
    const held = series.counts[index] ?? 0;
    if (value <= 0 || held <= 0) continue;
    const hour = hourOf(at_ms, series.step_ms);
    const told = hours.get(hour) ?? [];
    told.push({ log: Math.log(value), held });
    hours.set(hour, told);
  }
  const levels = [...hours].map(([hour, told]) => ({
    hour,
    told,
    level: median(told.map(({ log }) => log)),
  }));
  const offs = levels.flatMap(({ told, level }) =>
    told.map(({ log, held }) => ({ off: log - level, held })),
  );
  const spread = spreadOf(
    offs.map(({ off }) => off),
    levels.length,
  );
  const of_one = spreadOf(
    offs.map(({ off, held }) => off * Math.sqrt(held)),
    levels.length,
  );
  return new Map(
    levels.map(({ hour, told, level }) => {
      const held = told.reduce((sum, one) => sum + one.held, 0) / told.length;
      const sigma = Math.max(spread, of_one / Math.sqrt(held));
      return [hour, { level, error: sigma * Math.sqrt(Math.PI / 2 / told.length) }];
    }),
  );
}

/**
 * The standard deviation about levels that were fitted to the same steps, a degree of freedom each;
 * what lies far out is drawn in, so that an incident does not make a season of anything.
 */
function spreadOf(offs: readonly number[], fitted: number): number {
  const far = OUTLIER * madSigma(offs, 0);
  const squares = offs.reduce((sum, off) => sum + Math.min(far, Math.abs(off)) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, offs.length - fitted));
}
const OUTLIER = 4;

/** The share of calls at each hour. */
function weightsIn(series: Series, steps: readonly Indexed[]): ReadonlyMap<number, number> {
  const weights = new Map<number, number>();
  const held = steps.reduce((sum, { index }) => sum + (series.counts[index] ?? 0), 0);
  if (held <= 0) return weights;
  for (const { index, at_ms } of steps) {
    const hour = hourOf(at_ms, series.step_ms);
    weights.set(hour, (weights.get(hour) ?? 0) + (series.counts[index] ?? 0) / held);
  }
  return weights;
}
