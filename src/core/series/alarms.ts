import { ALARM_SCORE, type Step } from './detector.ts';

export interface AlarmsOptions {
  /** Past episodes fade to a third in FADE times so many rows, and FADE may be as strong. */
  readonly rows_each?: number;
}

/** Turns how strong each row's evidence is into scores and alarms. */
export interface Alarms {
  /** `strength` 1 is where it would alarm; `excused` says that this is known and no news. */
  take(strength: number, excused: () => boolean): Step;
}

/** Episodes that may be as strong, and windows of `rows_each` in which one fades to a third. */
const FADE = 3;
const ROWS_EACH = 700;
/** Rows between alarms: this share of those seen, within bounds. */
const REST = { share: 0.02, least: 20, most: 200 };
/** An episode ends when so many rows in a row were below this strength. */
const CALM = 0.7;
const CALM_ROWS = 5;
const PEAKS_MAX = 256;
/** What is no alarm scores at most this, so that a score says whether it is one. */
const BELOW = 0.49;

/**
 * An alarm marks the onset of an episode: a stretch of strong rows. What happens every so often is
 * a habit of the series and no news: an alarm needs to be stronger than all past episodes but the
 * FADE strongest, whose strength fades as they grow old.
 */
export function createAlarms({ rows_each = ROWS_EACH }: AlarmsOptions = {}): Alarms {
  const habits = createHabits(rows_each);
  let [seen, since, calm, peak] = [0, Number.POSITIVE_INFINITY, CALM_ROWS, 0];
  let told = false;
  return {
    take(strength, excused) {
      seen += 1;
      since += 1;
      calm = strength < CALM ? calm + 1 : 0;
      if (calm === CALM_ROWS) {
        if (peak >= CALM) habits.add(peak, seen);
        peak = 0;
        told = false;
      }
      peak = Math.max(peak, strength);
      const rest = Math.min(REST.most, Math.max(REST.least, REST.share * seen));
      if (strength < 1 || told || since <= rest) return quiet(strength);
      if (!habits.isNews(strength, seen)) return quiet(strength);
      told = true;
      if (excused()) return quiet(strength);
      since = 0;
      return { score: ALARM_SCORE + (1 - ALARM_SCORE) * (1 - 1 / (strength + 0.25)), alarm: true };
    },
  };
}

/** The strongest moments of past episodes; they fade, for a habit may be given up. */
function createHabits(rows_each: number) {
  const fade_rows = FADE * rows_each;
  /** ln of the strength, as if all had been at row 0, in descending order. */
  const peaks: number[] = [];
  const timed = (strength: number, row: number): number => Math.log(strength) + row / fade_rows;
  return {
    add(strength: number, row: number): void {
      const own = timed(strength, row);
      const place = peaks.findIndex((other) => other < own);
      peaks.splice(place < 0 ? peaks.length : place, 0, own);
      if (peaks.length > PEAKS_MAX) peaks.pop();
    },
    isNews(strength: number, row: number): boolean {
      const rank = Math.floor(Math.min(row, fade_rows) / rows_each);
      return rank >= peaks.length || timed(strength, row) > (peaks[rank] as number);
    },
  };
}

function quiet(strength: number): Step {
  const cube = strength > 0 ? strength ** 3 : 0;
  return { score: Number.isFinite(cube) ? (BELOW * cube) / (1 + cube) : BELOW, alarm: false };
}
