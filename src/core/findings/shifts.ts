import type { FindingDraft } from '../finding.ts';
import type { FindingMetric, Series, UnitMetric } from '../observation.ts';
import { madSigma, mean, median } from '../series/numbers.ts';
import { pOverLooks } from '../statistics/multiplicity.ts';
import { studentTail } from '../statistics/tails.ts';
import { type Mix, mixAbove, mixOf } from './mix.ts';
import { levelOf } from './rate-draft.ts';
import { cellName, countOf, type Scene } from './scene.ts';
import {
  frozenWords,
  milliseconds,
  mixWords,
  percent,
  placeOf,
  thousands,
  timeWords,
} from './words.ts';

/** A series as the series detectors read it: whole steps, its hours' levels taken off. */
export interface Residuals {
  readonly series: Series;
  /** Standardised, one a step, null where nothing was measured. */
  readonly z: readonly (number | null)[];
  /** The usual level of each hour, on the scale of `z` before it was standardised. */
  readonly levels: readonly number[];
  /** The index of the window's first step. */
  readonly from: number;
  /** The steps before the window that have a value, and the mean of theirs. */
  readonly before: { readonly count: number; readonly mean: number };
}

const DAY_MS = 24 * 3_600_000;
/** Two days before the window tell neither its hours nor their spread. */
const STEPS_BEFORE_MIN = 72;
/** Rates and counts below so many units a step are too coarse for a normal test. */
const EVENTS_MIN = 3;

/**
 * The series less the median of the steps before the window at the same hour, over their spread.
 * The step that is not over yet is left out: it would look like a collapse. Null where the past is
 * too short, or where steps hold too few events for means to be normal.
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
  const slots = Math.max(1, Math.round(DAY_MS / series.step_ms));
  const levels = levelsOf(scaled, from, slots);
  if (levels === null) return null;
  const off = scaled.map((value, index) => {
    return value === null ? null : value - (levels[index % slots] as number);
  });
  const past = numbersOf(off, 0, from);
  const squares = past.reduce((sum, one) => sum + one * one, 0);
  const spread = Math.sqrt(squares / Math.max(1, past.length - slots));
  const sigma = Math.max(madSigma(past, 0), spread, 1e-9);
  return {
    series,
    z: off.map((value) => (value === null ? null : value / sigma)),
    levels,
    from,
    before: { count: past.length, mean: mean(past) / sigma },
  };
}

/** The usual value at each hour; null where too few steps are known. */
function levelsOf(
  scaled: readonly (number | null)[],
  from: number,
  slots: number,
): readonly number[] | null {
  const known = numbersOf(scaled, 0, from);
  if (known.length < STEPS_BEFORE_MIN) return null;
  const all = median(known);
  return Array.from({ length: slots }, (_, slot) => {
    const same: number[] = [];
    for (let index = slot; index < from; index += slots) {
      const value = scaled[index];
      if (value !== null && value !== undefined) same.push(value);
    }
    return same.length >= 3 ? median(same) : all;
  });
}

function numbersOf(values: readonly (number | null)[], from: number, to: number): number[] {
  const numbers: number[] = [];
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    if (value !== null && value !== undefined) numbers.push(value);
  }
  return numbers;
}

const RATES = /^(calls|latency_p50_ms|latency_p95_ms|ttft_p50_ms|tokens_mean|cost_mean_usd)$/;
export const isRate = ({ metric }: Series): boolean => !RATES.test(metric);

/** Logarithms of amounts, square roots of counts, arcsines of rates: their noise is then even. */
function toScale(series: Series, value: number | null, count: number): number | null {
  if (series.metric === 'calls') return Math.sqrt(value ?? 0);
  if (value === null || count <= 0) return null;
  if (isRate(series)) return Math.asin(Math.sqrt(Math.min(1, Math.max(0, value))));
  return value > 0 ? Math.log(value) : null;
}

function fromScale(series: Series, value: number): number {
  if (series.metric === 'calls') return value ** 2;
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

/** A change of level within the window. */
export interface Shift {
  readonly residuals: Residuals;
  readonly index: number;
  readonly steps: number;
  /** Mean standardised residual since then. */
  readonly z: number;
  /** Two-sided, for any beginning within the window, and raised for repeated looks. */
  readonly p_week: number;
  readonly p: number;
}

/**
 * Whether the level since `index` is another than before the window: Student's t, multiplied by the
 * beginnings that the window has, since somebody chose the one that looks best.
 */
export function shiftAt(residuals: Residuals, index: number): Shift | null {
  const { z, from, series } = residuals;
  if (index < from) return null;
  let [steps, sum] = [0, 0];
  for (let step = index; step < z.length; step += 1) {
    const value = z[step];
    if (value === null || value === undefined) continue;
    steps += 1;
    sum += value;
  }
  if (steps === 0) return null;
  const level = sum / steps;
  const p = pOfLevel(residuals, level, steps);
  const windows = (7 * DAY_MS) / (steps * series.step_ms);
  return { residuals, index, steps, z: level, p, p_week: pOverLooks(p, windows) };
}

function pOfLevel({ z, from, series, before }: Residuals, level: number, steps: number): number {
  const slots = Math.max(1, Math.round(DAY_MS / series.step_ms));
  const df = Math.max(8, before.count - slots);
  const t = Math.abs(level - before.mean) / Math.sqrt(1 / steps + 1 / before.count);
  return Math.min(1, 2 * studentTail(t, df) * Math.max(1, z.length - from));
}

/**
 * Whether a shift that begins at `first` or later may have a `p_week` of at most `p`: where none
 * may, whoever would say where it began need not be asked, and that is what costs time.
 */
export function mayShift(residuals: Residuals, first: number, p: number): boolean {
  const { z, from } = residuals;
  let [steps, sum] = [0, 0];
  for (let index = z.length - 1; index >= Math.max(from, first); index -= 1) {
    const value = z[index];
    if (value === null || value === undefined) continue;
    steps += 1;
    sum += value;
    // Looking all week only raises it.
    if (pOfLevel(residuals, sum / steps, steps) > p) continue;
    if ((shiftAt(residuals, index)?.p_week ?? 1) <= p) return true;
  }
  return false;
}

const ABOUT: Partial<Record<Series['metric'], FindingMetric>> = {
  calls: 'load',
  latency_p50_ms: 'latency_ms',
  latency_p95_ms: 'latency_ms',
  ttft_p50_ms: 'ttft_ms',
  tokens_mean: 'tokens_out',
  cost_mean_usd: 'cost_usd',
};

export function aboutOf({ metric }: Series): FindingMetric {
  return ABOUT[metric] ?? (metric as FindingMetric);
}

const CALLED: Partial<Record<Series['metric'], string>> = {
  calls: 'number of calls an hour',
  latency_p50_ms: 'median latency',
  latency_p95_ms: 'p95 latency',
  ttft_p50_ms: 'median time to the first token',
  tokens_mean: 'mean number of tokens',
  cost_mean_usd: 'mean cost of a call',
};

function wordsOf(series: Series, value: number): string {
  if (isRate(series)) return percent(value);
  if (series.metric.endsWith('_ms')) return milliseconds(value);
  return series.metric === 'cost_mean_usd' ? `$${value.toPrecision(3)}` : thousands(value);
}

/** What a shift says; `how` names what found it. */
export function shiftDraft(
  scene: Scene,
  shift: Shift,
  how: string,
  e: number | null,
): FindingDraft {
  const { residuals, index, steps, z, p } = shift;
  const { series } = residuals;
  const since_ms = series.from_ms + index * series.step_ms;
  const estimate = mean(numbersOf(series.values, index, residuals.z.length));
  const value = expectedSince(residuals, index);
  const half =
    value > 0
      ? Math.abs(estimate - value) * (2.1 / Math.max(2.1, Math.abs(z) * Math.sqrt(steps)))
      : 0;
  const up = estimate > value;
  const harmful = series.metric !== 'calls' && series.metric !== 'accepted';
  const name = CALLED[series.metric] ?? `share of units with ${series.metric}`;
  const minutes = Math.round(series.step_ms / 60_000);
  const span = `${steps} step${steps === 1 ? '' : 's'} of ${minutes} minutes`;
  const frozen = scene.observation.frozen.includes(series.segment.agent);
  const mix = up && harmful ? mixBehind(scene, series, value) : null;
  return {
    since_ms,
    segment: series.segment,
    metric: aboutOf(series),
    measure: measureOf(series),
    level: up && harmful ? levelOf('investigate', mix, null, frozen) : 'note',
    direction: !harmful ? 'changed' : up ? 'worse' : 'better',
    estimate,
    effect: estimate - value,
    interval: [estimate - half, estimate + half],
    yardstick: { kind: 'season', value },
    p,
    e,
    confirmed: null,
    n: steps,
    units: series.counts.slice(index).reduce((sum, one) => sum + one, 0),
    severity: 'info',
    text:
      `Since ${timeWords(since_ms)} the ${name} of ${placeOf(series.segment)} is ` +
      `${wordsOf(series, estimate)}, where ${wordsOf(series, value)} was to be expected at these ` +
      `hours (${span}, ${how}).${mixWords(mix)}${frozenWords(frozen)}`,
    disproof: `Wrong if the next ${span} are back at ${wordsOf(series, value)}.`,
    evidence:
      scene.now.get(`${series.segment.agent}|${series.segment.target ?? ''}||`)?.evidence ?? [],
  };
}

/** What the steps since then were expected to be on average, in the series' own measure. */
function expectedSince({ series, levels, z }: Residuals, index: number): number {
  let sum = 0;
  for (let step = index; step < z.length; step += 1) {
    sum += fromScale(series, levels[step % levels.length] as number);
  }
  return sum / Math.max(1, z.length - index);
}

/** Whether the mix of the whole window explains a rise. */
function mixBehind(scene: Scene, series: Series, value: number): Mix | null {
  const cell = scene.now.get(cellName(series.segment));
  if (!cell) return null;
  const about = aboutOf(series);
  if (about === 'latency_ms' || about === 'ttft_ms') {
    return mixAbove(scene, cell, about, 'season', value);
  }
  if (!isRate(series)) return null;
  return mixOf(scene, cell, 'season', (one) => countOf(one, about as UnitMetric));
}

function measureOf(series: Series): FindingDraft['measure'] {
  if (isRate(series)) return 'share';
  if (series.metric.endsWith('_ms')) return 'ms';
  if (series.metric === 'cost_mean_usd') return 'usd';
  return series.metric === 'tokens_mean' ? 'tokens' : 'index';
}
