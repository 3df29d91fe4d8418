import { clamp } from './numbers.ts';

/** What a detector says of one row. */
export interface Step {
  /** 0 ordinary … 1 never seen the like; `ALARM_SCORE` is where it alarms. */
  readonly score: number;
  /** True at the onset of what is unusual, not for as long as it lasts. */
  readonly alarm: boolean;
}

/**
 * Judges a series row by row. A step depends on the rows pushed so far and on nothing else; memory
 * is bounded. `null` is a row with no value: time passes, nothing is learned, the score is 0.
 */
export interface SeriesDetector {
  push(value: number | null): Step;
}

export interface SeriesOptions {
  /** Of whatever is drawn; 1 by default. */
  readonly seed?: number;
  /**
   * Season lengths in rows worth looking for first (a day, a week); as a function where the clock
   * is known only later.
   */
  readonly seasons?: readonly number[] | (() => readonly number[]);
}

export type CreateDetector = (options?: SeriesOptions) => SeriesDetector;

export const ALARM_SCORE = 0.5;
export const QUIET: Step = { score: 0, alarm: false };

/** From 0 at nothing over 0.5 at the threshold towards 1; steep, so that half of it is 0.11. */
export function scoreOf(statistic: number, threshold: number): number {
  const ratio = Math.max(0, statistic) / threshold;
  const cube = ratio * ratio * ratio;
  return Number.isFinite(cube) ? cube / (1 + cube) : 1;
}

export interface AlarmGate {
  /** Whether this row's score begins a new alarm. */
  pass(score: number): boolean;
}

/**
 * One alarm an episode: after an alarm the next needs `rest` rows and a score that has meanwhile
 * been below half the alarm's for `calm` rows.
 */
export function createAlarmGate(rest: number, calm = 3): AlarmGate {
  let since = Number.POSITIVE_INFINITY;
  let quiet = calm;
  return {
    pass(score) {
      since += 1;
      quiet = score < ALARM_SCORE / 2 ? quiet + 1 : quiet;
      if (score < ALARM_SCORE || since <= rest || quiet < calm) return false;
      since = 0;
      quiet = 0;
      return true;
    },
  };
}

/** A share of [0, 1], whatever rounding did. */
export function share(value: number): number {
  return Number.isFinite(value) ? clamp(value, 0, 1) : 0;
}
