import { MATURITY_MS } from '../canary.ts';
import type { Series } from '../observation.ts';
import { madSigma, median } from '../series/numbers.ts';
import type { Count } from '../statistics/tails.ts';
import { wilsonInterval } from '../statistics.ts';
import type { QuantileTest } from './quantiles.ts';
import type { RateTest } from './rates.ts';
import { addCounts, rateOf, type Scene, seriesOf } from './scene.ts';
import { hourOf, stepsBefore, stepsOf } from './seasons.ts';
import { percent } from './words.ts';

/** How a rise is spread over the steps of the window. */
export interface Lasting {
  /** The share of the whole excess that the worst step has. */
  readonly worst: number;
  /** Whether the newest steps are back at what they were. */
  readonly over: boolean;
}

/** Known steps below which nothing is said of how a rise is spread. */
const STEPS_MIN = 3;
const BEFORE_MIN = 24;
const WORST_MAX = 0.5;
const Z_95 = 1.959963984540054;

/**
 * Whether a rise may be acted on: one hour alone did not make it, and it is not over. What cannot
 * be told (a young agent, no series) stands in no way.
 */
export function isLasting(lasting: Lasting | null): boolean {
  return lasting === null || (!lasting.over && lasting.worst <= WORST_MAX);
}

export function lastingWords(lasting: Lasting | null): string {
  if (lasting === null || isLasting(lasting)) return '';
  if (lasting.over) return ' The newest hours are back at what they were.';
  return ` One hour alone made ${percent(Math.min(1, lasting.worst))} of it.`;
}

interface RateStep extends Count {
  /** When the step is over. */
  readonly until_ms: number;
}

function rateSteps(scene: Scene, { cell, metric }: RateTest): readonly RateStep[] {
  const series = seriesOf(scene, cell.segment, metric);
  if (!series) return [];
  return stepsOf(series, scene.observation.window).flatMap(({ index, at_ms }) => {
    const units = series.counts[index] ?? 0;
    const events = units * (series.values[index] ?? 0);
    return units > 0 ? [{ units, events, until_ms: at_ms + series.step_ms }] : [];
  });
}

/** The yardstick on the scale of steps, where a unit counts once a step and not once in all. */
function barOf({ yardstick, count }: RateTest, whole: Count): number {
  return (yardstick.value * rateOf(whole)) / Math.max(rateOf(count), 1e-9);
}

/** Of a rate: its units a step, held against the yardstick on the scale of steps. */
export function lastingRate(scene: Scene, test: RateTest): Lasting | null {
  const steps = rateSteps(scene, test);
  const whole = addCounts(steps);
  if (steps.length < STEPS_MIN || whole.events <= 0) return null;
  const bar = barOf(test, whole);
  const excess = whole.events - bar * whole.units;
  if (excess <= 0) return null;
  const worst = Math.max(...steps.map(({ units, events }) => events - bar * units)) / excess;
  const newest = addCounts(steps.slice(-STEPS_MIN));
  const [, high] = wilsonInterval(Math.round(newest.events), Math.round(newest.units));
  return { worst, over: high < rateOf(whole) && rateOf(newest) <= bar };
}

/**
 * Whether a rate of verdicts stands on those alone that have matured: of the newest calls mostly
 * the angry have spoken. Null where no whole step of the window has.
 */
export function standsMatured(scene: Scene, test: RateTest): boolean | null {
  const steps = rateSteps(scene, test);
  const matured_ms = scene.observation.at_ms - MATURITY_MS;
  const matured = addCounts(steps.filter(({ until_ms }) => until_ms <= matured_ms));
  if (matured.units === 0) return null;
  const units = Math.round(matured.units);
  const [low] = wilsonInterval(Math.min(units, Math.round(matured.events)), units);
  return low > barOf(test, addCounts(steps));
}

/** Of a quantile: the logarithm of each step above the usual one of its hour, by its calls. */
export function lastingLevel(scene: Scene, test: QuantileTest): Lasting | null {
  const metric = seriesNameOf(test);
  const series = metric && seriesOf(scene, test.cell.segment, metric);
  if (!series) return null;
  const levels = levelsOf(scene, series);
  if (levels === null) return null;
  const { window } = scene.observation;
  const steps = stepsOf(series, window).flatMap(({ index, at_ms }) => {
    const held = series.counts[index] ?? 0;
    const value = series.values[index] ?? 0;
    if (held <= 0 || value <= 0) return [];
    return [{ held, off: Math.log(value) - levels.of(hourOf(at_ms, series.step_ms)) }];
  });
  const calls = steps.reduce((sum, { held }) => sum + held, 0);
  const excess = steps.reduce((sum, { held, off }) => sum + held * off, 0);
  if (steps.length < STEPS_MIN || excess <= 0) return null;
  const worst = Math.max(...steps.map(({ held, off }) => held * off)) / excess;
  const newest = steps.slice(-STEPS_MIN);
  const now = newest.reduce((sum, { off }) => sum + off, 0) / newest.length;
  const high = now + (Z_95 * levels.sigma) / Math.sqrt(newest.length);
  return { worst, over: now <= 0 && high < excess / calls };
}

function seriesNameOf({ quantity, share }: QuantileTest): Series['metric'] | null {
  if (quantity === 'latency_ms') return share > 0.9 ? 'latency_p95_ms' : 'latency_p50_ms';
  return quantity === 'ttft_ms' ? 'ttft_p50_ms' : null;
}

/** The usual logarithm of each hour, and how far a step is usually off it. */
function levelsOf(scene: Scene, series: Series) {
  const hours = new Map<number, number[]>();
  for (const { index, at_ms } of stepsBefore(series, scene.observation.window)) {
    const value = series.values[index] ?? 0;
    if (value <= 0) continue;
    const hour = hourOf(at_ms, series.step_ms);
    const same = hours.get(hour) ?? [];
    same.push(Math.log(value));
    hours.set(hour, same);
  }
  const all = [...hours.values()].flat();
  if (all.length < BEFORE_MIN) return null;
  const whole = median(all);
  const medians = new Map(
    [...hours].map(([hour, same]) => [hour, same.length >= STEPS_MIN ? median(same) : whole]),
  );
  const of = (hour: number): number => medians.get(hour) ?? whole;
  const offs = [...hours].flatMap(([hour, same]) => same.map((log) => log - of(hour)));
  return { of, sigma: madSigma(offs, 0) };
}
