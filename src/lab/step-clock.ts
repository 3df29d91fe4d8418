import { median } from '../core/series/numbers.ts';

/** Rows whose distances say how far apart rows are. */
const LEARN = 24;
/** More missing rows than this in one place are not counted: the series began anew. */
const GAP_MAX = 5000;

export interface StepClock {
  /** How many rows are missing before this one, by the clock; 0 while the step is unknown. */
  missing(timestamp: string): number;
}

/**
 * Finds gaps from timestamps (RFC 3339, or numbers in any unit) by the usual distance of the rows
 * so far, so that a season keeps its phase. What it says of a row depends on no later one.
 */
export function createStepClock(): StepClock {
  const distances: number[] = [];
  let last: number | null = null;
  let step = 0;
  return {
    missing(timestamp) {
      const now = timeOf(timestamp);
      const distance = last === null ? Number.NaN : now - last;
      if (Number.isFinite(now)) last = now;
      if (!(distance > 0)) return 0;
      if (distances.length < LEARN) {
        distances.push(distance);
        if (distances.length === LEARN) step = median(distances);
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
