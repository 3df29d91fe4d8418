import type { Series } from '../observation.ts';
import { mean, median } from '../series/numbers.ts';
import { noiseOf } from './noise.ts';
import type { Scene } from './scene.ts';

/** A series as the series detectors read it: whole steps, its hours' levels taken off. */
export interface Residuals {
  readonly series: Series;
  /** Standardised, one a step, null where nothing was measured or its hour has no level. */
  readonly z: readonly (number | null)[];
  /** What `z` was divided by, one a step. */
  readonly sigmas: readonly number[];
  /** The usual level of each hour, on the scale of `z` before it was standardised. */
  readonly levels: readonly (number | null)[];
  /** The index of the window's first step. */
  readonly from: number;
  /** The steps before the window that have a value, and the mean of theirs. */
  readonly before: { readonly count: number; readonly mean: number };
}

const DAY_MS = 24 * 3_600_000;
/** Two days before the window tell neither its hours nor their spread. */
const STEPS_BEFORE_MIN = 72;
/** Days that must know an hour for it to have a level. */
const DAYS_MIN = 3;
/** Rates and counts below so many units a step are too coarse for a normal test. */
const EVENTS_MIN = 3;

/**
 * The series less the median of the steps before the window at the same hour, over what such a step
 * may be off by. The step that is not over yet is left out: it would look like a collapse. Null
 * where the past is too short, or where steps hold too few events for means to be normal.
 */
export function residualsOf(scene: Scene, series: Series): Residuals | null {
  const { window } = scene.observation;
  const place = (ms: number): number => (ms - series.from_ms) / series.step_ms;
  const length = Math.min(series.values.length, Math.max(0, Math.floor(place(window.to_ms))));
  const from = Math.min(length, Math.max(0, Math.ceil(place(window.from_ms))));
  if (from < STEPS_BEFORE_MIN || isCoarse(series, from)) return null;
  const scaled: (number | null)[] = [];
  for (let index = 0; index < length; index += 1) {
    scaled.push(toScale(series, series.values[index] ?? null, series.counts[index] ?? 0));
  }
  if (numbersOf(scaled, 0, from).length < STEPS_BEFORE_MIN) return null;
  const slots = Math.max(1, Math.round(DAY_MS / series.step_ms));
  const hours = hoursOf(scaled, from, slots);
  const off = scaled.map((value, index) => {
    const level = hours[index % slots]?.level ?? null;
    return value === null || level === null ? null : value - level;
  });
  const known = numbersOf(off, 0, from);
  if (known.length < STEPS_BEFORE_MIN) return null;
  const sigmas = sigmasOf(series, off, from, hours);
  const z = off.map((value, index) => (value === null ? null : value / (sigmas[index] as number)));
  const before = { count: known.length, mean: mean(numbersOf(z, 0, from)) };
  return { series, z, sigmas, levels: hours.map(({ level }) => level), from, before };
}

interface Hour {
  /** The usual value; null where too few days know it. */
  readonly level: number | null;
  readonly days: number;
}

function hoursOf(scaled: readonly (number | null)[], from: number, slots: number): readonly Hour[] {
  return Array.from({ length: slots }, (_, slot) => {
    const same: number[] = [];
    for (let index = slot; index < from; index += slots) {
      const value = scaled[index];
      if (value !== null && value !== undefined) same.push(value);
    }
    return { level: same.length >= DAYS_MIN ? median(same) : null, days: same.length };
  });
}

/**
 * What each step may be off by: as those before the window were with as many calls, and within the
 * window by the error of its level as well, which is a guess of few days.
 */
function sigmasOf(
  series: Series,
  off: readonly (number | null)[],
  from: number,
  hours: readonly Hour[],
): readonly number[] {
  const known = indexesOf(off, from);
  const offs = known.map((index) => off[index] as number);
  const fitted = hours.filter(({ level }) => level !== null).length;
  const df = Math.max(1, known.length - fitted);
  const calls = series.metric === 'calls';
  // The square root of a count varies as much whatever the count.
  const held = (index: number): number => (calls ? 1 : (series.counts[index] ?? 0));
  const noise = noiseOf(offs, known.map(held), df, SIGMA_MIN ** 2);
  const most = calls ? weeklyVariance(series, off, from) : Number.POSITIVE_INFINITY;
  return off.map((_, index) => {
    const variance = Math.min(most, noise.varianceAt(held(index)));
    if (index < from) return Math.sqrt(variance);
    const days = hours[index % hours.length]?.days ?? 1;
    return Math.sqrt(variance * (1 + MEDIAN_VARIANCE / days));
  });
}
const SIGMA_MIN = 1e-9;
/** The variance of a median over that of a mean. */
const MEDIAN_VARIANCE = Math.PI / 2;

function indexesOf(values: readonly (number | null)[], to: number): number[] {
  return values.flatMap((value, index) => (value !== null && index < to ? [index] : []));
}

/** The variance from one week to the next, in which weekends have no part; ∞ where unknown. */
function weeklyVariance(series: Series, off: readonly (number | null)[], from: number): number {
  const lag = Math.round((7 * DAY_MS) / series.step_ms);
  const moves = off.map((value, index) => {
    const before = off[index - lag];
    return value === null || before === null || before === undefined ? null : value - before;
  });
  const known = numbersOf(moves, 0, from);
  if (known.length < STEPS_BEFORE_MIN) return Number.POSITIVE_INFINITY;
  return known.reduce((sum, one) => sum + one * one, 0) / known.length / 2;
}

export function numbersOf(
  values: readonly (number | null)[],
  from: number,
  to: number = values.length,
): number[] {
  const numbers: number[] = [];
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    if (value !== null && value !== undefined) numbers.push(value);
  }
  return numbers;
}

const AMOUNTS = /^(calls|latency_p50_ms|latency_p95_ms|ttft_p50_ms|tokens_mean|cost_mean_usd)$/;
export const isRate = ({ metric }: Series): boolean => !AMOUNTS.test(metric);

/** Logarithms of amounts, square roots of counts, arcsines of rates: their noise is then even. */
function toScale(series: Series, value: number | null, count: number): number | null {
  if (series.metric === 'calls') return Math.sqrt(value ?? 0);
  if (value === null || count <= 0) return null;
  if (isRate(series)) return Math.asin(Math.sqrt(Math.min(1, Math.max(0, value))));
  return value > 0 ? Math.log(value) : null;
}

export function fromScale(series: Series, value: number): number {
  if (series.metric === 'calls') return Math.max(0, value) ** 2;
  return isRate(series) ? Math.sin(value) ** 2 : Math.exp(value);
}

function isCoarse(series: Series, before: number): boolean {
  const calls = series.metric === 'calls';
  if (!isRate(series) && !calls) return false;
  let events = 0;
  for (let index = 0; index < before; index += 1) {
    events += (series.values[index] ?? 0) * (calls ? 1 : (series.counts[index] ?? 0));
  }
  return events / before < EVENTS_MIN;
}
