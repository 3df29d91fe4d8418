import type { FindingDraft } from '../finding.ts';
import { type FindingMetric, isGood, type Series, type UnitMetric } from '../observation.ts';
import { mean } from '../series/numbers.ts';
import { pOverLooks } from '../statistics/multiplicity.ts';
import { studentTail } from '../statistics/tails.ts';
import { type Mix, mixAbove, mixOf } from './mix.ts';
import { levelOf } from './rate-draft.ts';
import { fromScale, isRate, numbersOf, type Residuals } from './residuals.ts';
import { cellName, countOf, type Scene } from './scene.ts';
import {
  didWords,
  frozenWords,
  milliseconds,
  mixWords,
  percent,
  placeOf,
  spanWords,
  thousands,
  timeWords,
} from './words.ts';

const DAY_MS = 24 * 3_600_000;

/** A change of level within the window. */
export interface Shift {
  readonly residuals: Residuals;
  readonly index: number;
  readonly steps: number;
  /** Mean standardised residual since then. */
  readonly z: number;
  /** How much of that the same hours a week before had as well. */
  readonly of_week: number;
  /** Student's t of what is left, with its sign. */
  readonly t: number;
  /** Two-sided, for any beginning within the window, and raised for repeated looks. */
  readonly p_week: number;
  readonly p: number;
}

/**
 * Whether the level since `index` is another than before the window, and than at the same hours a
 * week before: Student's t, multiplied by the beginnings that the window has, since somebody chose
 * the one that looks best. Null of the load where that week is not known: who has never seen a
 * Saturday cannot tell one from a collapse.
 */
export function shiftAt(residuals: Residuals, index: number): Shift | null {
  const { z, from, series } = residuals;
  if (index < from) return null;
  const lag = Math.round((7 * DAY_MS) / series.step_ms);
  let [steps, sum, paired, earlier] = [0, 0, 0, 0];
  for (let step = index; step < z.length; step += 1) {
    const value = z[step];
    if (value === null || value === undefined) continue;
    steps += 1;
    sum += value;
    const before = z[step - lag];
    if (before === null || before === undefined) continue;
    paired += 1;
    earlier += before;
  }
  if (steps === 0 || (series.metric === 'calls' && paired < steps)) return null;
  const level = sum / steps;
  const week = ofWeek(series, level, earlier / Math.max(1, paired), paired);
  const t = tOfLevel(residuals, level, steps, week);
  const p = pOfT(residuals, t);
  const windows = (7 * DAY_MS) / (steps * series.step_ms);
  const of_week = week.level;
  return { residuals, index, steps, z: level, of_week, t, p, p_week: pOverLooks(p, windows) };
}

interface OfWeek {
  readonly level: number;
  readonly variance: number;
}
const NO_WEEK: OfWeek = { level: 0, variance: 0 };

/**
 * What the same hours a week before explain, as far as it is more than chance (drawn towards none
 * as James and Stein do, see `hours.ts`). A week that was off the other way explains nothing. The
 * load has a week's rhythm nearly always, so that it is always held against both.
 */
function ofWeek({ metric }: Series, level: number, earlier: number, steps: number): OfWeek {
  const like = earlier * level > 0 ? earlier : 0;
  if (metric === 'calls') return { level: like, variance: 1 / steps };
  if (steps === 0 || like === 0) return NO_WEEK;
  const share = Math.max(0, 1 - 1 / (steps * like * like));
  return { level: share * like, variance: share / steps };
}

function tOfLevel({ before }: Residuals, level: number, steps: number, week: OfWeek): number {
  const off = level - before.mean;
  const error = Math.sqrt(1 / steps + 1 / before.count + week.variance);
  return (Math.sign(off) * Math.max(0, Math.abs(off) - Math.abs(week.level))) / error;
}

function pOfT({ z, from, series, before }: Residuals, t: number): number {
  const slots = Math.max(1, Math.round(DAY_MS / series.step_ms));
  const df = Math.max(8, before.count - slots);
  return Math.min(1, 2 * studentTail(Math.abs(t), df) * Math.max(1, z.length - from));
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
    // The week before, and looking all week, only raise it.
    if (pOfT(residuals, tOfLevel(residuals, sum / steps, steps, NO_WEEK)) > p) continue;
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
  const { residuals, index, steps, t, p } = shift;
  const { series } = residuals;
  const since_ms = series.from_ms + index * series.step_ms;
  const estimate = mean(numbersOf(series.values, index, residuals.z.length));
  const value = expectedSince(shift);
  const half = value > 0 ? Math.abs(estimate - value) * (2.1 / Math.max(2.1, Math.abs(t))) : 0;
  const up = estimate > value;
  const harmful = series.metric !== 'calls' && !isGood(series.metric);
  const span = spanWords(steps * series.step_ms);
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
      `Since ${timeWords(since_ms)} ${nowWords(series, estimate)}, where ` +
      `${wordsOf(series, value)} was to be expected at these ` +
      `hours (for ${span}; ${how}).${mixWords(mix)}${frozenWords(frozen)}`,
    disproof: `Wrong if it is back at ${wordsOf(series, value)} in the next ${span}.`,
    evidence:
      scene.now.get(`${series.segment.agent}|${series.segment.target ?? ''}||`)?.evidence ?? [],
  };
}

/** “12.5 % of the units of target a of agent b were dissatisfied”, “the latency of … is 900 ms”. */
function nowWords(series: Series, estimate: number): string {
  const [place, value] = [placeOf(series.segment), wordsOf(series, estimate)];
  const name = CALLED[series.metric];
  if (name === undefined) return `${value} of the units of ${place} ${didWords(aboutOf(series))}`;
  return `the ${name} of ${place} is ${value}`;
}

/** What the steps since then were expected to be on average, in the series' own measure. */
function expectedSince({ residuals, index, of_week }: Shift): number {
  const { series, levels, sigmas, z } = residuals;
  const expected = z.slice(index).flatMap((value, place) => {
    const step = index + place;
    const level = levels[step % levels.length] ?? null;
    if (value === null || level === null) return [];
    return [fromScale(series, level + of_week * (sigmas[step] as number))];
  });
  return mean(expected);
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
