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
  /** What is odd of a time, before `missing` is asked: none, or not after the row before. */
  odd(timestamp: string): string | null;
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
    odd(timestamp) {
      const now = timeOf(timestamp);
      const said = JSON.stringify(timestamp.slice(0, 40));
      if (!Number.isFinite(now)) return `${said} is no RFC 3339 time: counted where it stands`;
      if (last === null || now > last) return null;
      const how = now === last ? 'that of the row before again' : 'before that of a row above';
      return `its time is ${how}: counted as it comes`;
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

const NO_ZONE = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(:\d\d(\.\d+)?)?)$/;

/** A time without a zone is UTC: in this machine's an hour would be lost or double each year. */
function timeOf(text: string): number {
  const number = Number(text);
  return Number.isFinite(number) ? number : Date.parse(text.replace(NO_ZONE, '$1T$2Z'));
}
