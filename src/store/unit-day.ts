import { type Cell, type Combination, DAY_MS, HOUR_MS } from './cells.ts';

/**
 * What happened to a unit, and how that changes the counts of distinct units: pure. A unit's day is
 * one row; of its hours follow, for each cell and metric, three counts that add up over units:
 *
 * - `hour`: the unit showed it in the hour; for series.
 * - `day`: it showed it in the day; a unit once a day.
 * - `last`: it showed it in the hour and not in the next 24. Summed over the hours of any window
 *   that ends now and has at most `WINDOW_HOURS_MAX` hours, that is the number of distinct units:
 *   each is counted at its last hour in the window, and nowhere else in it.
 *
 * So distinct units of a sliding window are read from counts, whatever the number of units.
 */
export const WINDOW_HOURS_MAX = 25;

/** `{combination: {metric: {hour of the day: events}}}` of one day. */
export type Seen = Record<string, Record<string, Record<string, number>>>;

/** Of one unit: what was seen on the days around; absent days are empty. */
export interface UnitDay {
  readonly day_ms: number;
  seen: Seen;
  /** Calls of a conversation that day; 0 of other units. */
  calls: number;
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
  kind: 'hour' | 'day' | 'last',
  at_ms: number,
  by: number,
) => void;

/** A conversation with more calls in a day is no single user: it is left out of all statistics. */
export const CONVERSATION_CALLS_MAX = 200;

/**
 * Ratings are kept by value, `rating=4.5`; from them follow `raters`, and `medians`: the sum over
 * raters of each one's median, of the ratings of an hour, a day, or the day of the last hour.
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

export function hourOf(at_ms: number): string {
  return String(Math.floor((at_ms % DAY_MS) / HOUR_MS));
}
