import { type Cell, type Combination, DAY_MS, HOUR_MS } from './cells.ts';

/**
 * What happened to a unit, and how that changes the counts of distinct units: pure. A unit's day is
 * one row; of its hours follow, for each cell and metric, counts that add up over units:
 *
 * - `hour`: the unit showed it in the hour; for series.
 * - `day`: it showed it in the day; a unit once a day.
 * - `first`: it showed it in the hour, and the time before that was so many hours ago (`gap`; 0
 *   where that is more than 24). Summed over the hours of a window, and of each hour over the gaps
 *   that reach beyond the window's beginning, that is the number of distinct units: each is counted
 *   at its first hour in the window, and nowhere else in it.
 *
 * So distinct units of a sliding window of up to `WINDOW_HOURS_MAX` hours are read from counts,
 * whatever the number of units; and what comes in order changes the running hour alone.
 */
export const WINDOW_HOURS_MAX = 25;

/** In which hours of a day a metric happened to a unit in one combination. */
export interface SeenHours {
  readonly metric: string;
  /** The hours in which more was counted than was taken back, as bits. */
  bits: number;
  /** In pairs: an hour of the day, and its events. */
  times: readonly number[];
}

/** What was seen of a unit in one combination, by metric. */
export interface SeenPart {
  readonly at: Combination;
  readonly metrics: SeenHours[];
}

/**
 * What was seen of a unit on a day, by combination. Lists, since nearly all have a member or two
 * and thousands of units are kept: maps take more memory, which is marked again and again.
 */
export type Seen = SeenPart[];

/** Of one unit: what was seen on the days around; absent days are empty. */
export interface UnitDay {
  readonly day_ms: number;
  readonly seen: Seen;
  /** Calls of a conversation that day; 0 of other units. */
  calls: number;
}

/** Where a metric was seen in a combination; undefined where it was not. */
export function seenOf(seen: Seen, at: Combination, metric: string): SeenHours | undefined {
  const part = partOf(seen, at);
  return part === undefined ? undefined : hoursOf(part, metric);
}

function partOf(seen: Seen, { target, tenant, category }: Combination): SeenPart | undefined {
  for (const part of seen) {
    const { at } = part;
    if (at.target === target && at.tenant === tenant && at.category === category) return part;
  }
  return undefined;
}

function hoursOf({ metrics }: SeenPart, metric: string): SeenHours | undefined {
  for (const known of metrics) if (known.metric === metric) return known;
  return undefined;
}

/** Adds events of an hour; `once`: one at most. */
export function addSeen(seen: Seen, { at, hour_ms, metric, events, once }: Fact): void {
  const hour = hourOf(hour_ms);
  let part = partOf(seen, at);
  if (!part) {
    // A copy, since a unit's days outlive the batch and all that its calls hold.
    const { target, tenant, category } = at;
    part = { at: { agent: '', target, tenant, category }, metrics: [] };
    seen.push(part);
  }
  let known = hoursOf(part, metric);
  if (!known) {
    known = { metric, bits: 0, times: [] };
    part.metrics.push(known);
  }
  const { times } = known;
  const index = placeOf(hour, times);
  const sum = once ? 1 : (times[index + 1] ?? 0) + events;
  known.times = index < times.length ? times.with(index + 1, sum) : [...times, hour, sum];
  known.bits = sum > 0 ? known.bits | (1 << hour) : known.bits & ~(1 << hour);
}

/** Of an hour among pairs; their end where it is not there. */
function placeOf(hour: number, times: readonly number[]): number {
  let at = 0;
  while (at < times.length && times[at] !== hour) at += 2;
  return at;
}

/** `{combination: {metric: {hour of the day: events}}}`, as it is stored. */
export function seenText(seen: Seen): string {
  let text = '{';
  for (const { at, metrics } of seen) {
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(combinationKey(at))}:{`;
    let before = '';
    for (const { metric, times } of metrics) {
      text += `${before}${JSON.stringify(metric)}:{`;
      before = '';
      for (let place = 0; place < times.length; place += 2) {
        if (times[place + 1] === 0) continue;
        text += `${before}"${times[place]}":${times[place + 1]}`;
        before = ',';
      }
      text += '}';
      before = ',';
    }
    text += '}';
  }
  return `${text}}`;
}

export function parseSeen(text: string): Seen {
  const stored = JSON.parse(text) as Record<string, Record<string, Record<string, number>>>;
  const seen: Seen = [];
  for (const key in stored) {
    const metrics: SeenHours[] = [];
    for (const metric in stored[key]) {
      let bits = 0;
      const times: number[] = [];
      const byHour = stored[key][metric] ?? {};
      for (const hour in byHour) {
        const events = byHour[hour] as number;
        times.push(Number(hour), events);
        if (events > 0) bits |= 1 << Number(hour);
      }
      metrics.push({ metric, bits, times: times.slice() });
    }
    seen.push({ at: combinationOf('', key), metrics });
  }
  return seen;
}

/** An event of a metric, or one taken back. `once`: a second in the same hour is not counted. */
export interface Fact {
  readonly at: Combination;
  readonly hour_ms: number;
  readonly metric: string;
  readonly events: number;
  readonly once: boolean;
}

/**
 * Steps one count: distinct units of a cell, metric and span, or a sum over them. Steps of one
 * count add up; one may be taken back by the next.
 */
export type Step = (
  cell: Cell,
  metric: string,
  kind: 'hour' | 'day' | 'first',
  at_ms: number,
  by: number,
  gap: number,
) => void;

/** Places in a row's list of units: the hour or day by half, then `first` by gap and half. */
export function unitsAt(kind: 'hour' | 'day' | 'first', gap: number, half: 0 | 1): number {
  return kind === 'first' ? 2 + 2 * gap + half : half;
}

/** Of an hour's list, the units whose first hour it is in a window that began so many hours ago. */
export function firstsIn(counts: readonly number[], hours: number, half: 0 | 1): number {
  let sum = counts[2 + half] ?? 0;
  for (let at = 2 + 2 * (hours + 1) + half; at < counts.length; at += 2)
    sum += counts[at] as number;
  return sum;
}

/** A conversation with more calls in a day is no single user: it is left out of all statistics. */
export const CONVERSATION_CALLS_MAX = 200;

/**
 * Ratings are kept by value, `rating=4.5`; from them follow `raters`, and `medians`: the sum over
 * raters of each one's median, of the ratings of an hour, or of the day.
 */
export const RATING = 'rating=';
export const RATERS = 'raters';
export const MEDIANS = 'medians';

export function ratingMetric(value: number): string {
  return `${RATING}${Math.round(value * 10) / 10}`;
}

/** Verdicts by tenant, within a cell of all tenants. */
export function tenantMetric(metric: string, tenant: string): string {
  return `${metric}@${tenant}`;
}

export function combinationKey({ target, tenant, category }: Combination): string {
  return `${target}\t${tenant}\t${category}`;
}

export function combinationOf(agent: string, key: string): Combination {
  const [target = '', tenant = '', category = ''] = key.split('\t');
  return { agent, target, tenant, category };
}

/** The hour of the day. */
export function hourOf(at_ms: number): number {
  return Math.floor((at_ms % DAY_MS) / HOUR_MS);
}
