import { median } from '../core/series/numbers.ts';

/** Rows whose distances say how far apart rows are. */
const LEARN = 24;
/** More missing rows than this in one place are not counted: the series began anew. */
const GAP_MAX = 5000;
const DAY_MS = 24 * 3_600_000;
/** A day of fewer rows has no shape; a week of more is not looked for. */
const SEASON_ROWS_MIN = 4;
const SEASON_ROWS_MAX = 3000;

export interface StepClock {
  /** How many rows are missing before this one, by the clock; 0 while the step is unknown. */
  missing(timestamp: string): number;
  /** The rows of a day and of a week; none while the step is unknown or is no part of them. */
  readonly seasons: () => readonly number[];
}

/**
 * Finds gaps from timestamps (RFC 3339, or numbers in any unit) by the usual distance of the rows
 * so far, so that a season keeps its phase. What it says of a row depends on no later one.
 */
export function createStepClock(): StepClock {
  const distances: number[] = [];
  let last: number | null = null;
  let step = 0;
  let dated = false;
  return {
    seasons() {
      if (step === 0 || !dated) return [];
      return [DAY_MS / step, (7 * DAY_MS) / step]
        .map(Math.round)
        .filter((rows) => rows >= SEASON_ROWS_MIN && rows <= SEASON_ROWS_MAX);
    },
    missing(timestamp) {
      const now = timeOf(timestamp);
      const distance = last === null ? Number.NaN : now - last;
      if (Number.isFinite(now)) last = now;
      if (!(distance > 0)) return 0;
      if (distances.length < LEARN) {
        distances.push(distance);
        if (distances.length < LEARN) return 0;
        step = median(distances);
        dated = !Number.isFinite(Number(timestamp));
        return 0;
      }
      const gap = Math.round(distance / step) - 1;
      return gap > 0 && gap <= GAP_MAX ? gap : 0;
    },
  };
}

function timeOf(text: string): number {
  const number = Number(text);
  return Number.isFinite(number) ? number : Date.parse(text);
}
