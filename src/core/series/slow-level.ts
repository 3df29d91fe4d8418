import { at, clamp, median } from './numbers.ts';

/** Rows that the slow level follows. */
const LEVEL_ROWS = 330;
/** Rows after an alarm that say whether the level has moved for good. */
const RELEARN = 30;
/** Rows for which the level before an alarm is known as where the series may return to. */
const RETURN_ROWS = 3000;
/** So many scales off is away, so few is back. */
const AWAY = 4;
const BACK = 2.5;

export interface SlowLevel {
  /** Takes a row and its σ; the deviation from the level, in its own robust scale. */
  push(value: number, sigma: number): number;
  /** Means of the deviations over each horizon, in scales; written over by the next row. */
  readonly means: Float64Array;
  /** There was an alarm: the level may have moved. */
  hurry(): void;
  /** Whether this row is back at the level before the last alarm, having been away from it. */
  returned(): boolean;
}

/** A slowly moving level of a series whose season is off, and how far rows are from it. */
export function createSlowLevel(horizons: readonly number[]): SlowLevel {
  let level: number | null = null;
  let [scale, seen, last] = [0, 0, 0];
  let since: number[] | null = null;
  let before: { readonly level: number; readonly scale: number; readonly row: number } | null =
    null;
  const sums = new Float64Array(horizons.length);
  const means = new Float64Array(horizons.length);
  /** Once the rows since an alarm lie elsewhere, that is the level. */
  const relearn = (value: number, from: number): number => {
    since?.push(value);
    if (since === null || since.length < RELEARN) return from;
    const moved = median(since);
    since = null;
    if (Math.abs(moved - from) < scale) return from;
    sums.fill(0);
    return moved;
  };
  return {
    means,
    hurry() {
      since ??= [];
      if (level !== null) before ??= { level, scale, row: seen };
    },
    returned() {
      if (before === null || level === null || since !== null) return false;
      if (Math.abs(level - before.level) < AWAY * before.scale) return false;
      if (Math.abs(last - before.level) > BACK * before.scale) return false;
      ({ level } = before);
      before = null;
      sums.fill(0);
      return true;
    },
    push(value, sigma) {
      seen += 1;
      last = value;
      if (scale === 0) scale = 2 * sigma;
      if (before !== null && seen - before.row > RETURN_ROWS) before = null;
      level = relearn(value, level ?? value);
      const off = value - level;
      const gain = Math.max(1 / seen, 1 / LEVEL_ROWS);
      level += gain * clamp(off, -3 * scale, 3 * scale);
      scale += gain * (Math.min(1.25 * Math.abs(off), 4 * scale) - scale);
      scale = Math.max(scale, 0.3 * sigma);
      for (let index = 0; index < horizons.length; index += 1) {
        sums[index] = at(sums, index) + (off - at(sums, index)) / (horizons[index] as number);
        means[index] = at(sums, index) / scale;
      }
      return off / scale;
    },
  };
}
