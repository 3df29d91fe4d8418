import type { Series } from '../observation.ts';
import { at, median } from '../series/numbers.ts';
import { noiseOf } from './noise.ts';

/** A step of a series that has a value, and its hour of the day. */
export interface Step {
  readonly index: number;
  readonly hour: number;
}

/**
 * A level by steps, on the log scale, as it is cut in many places: what cuts share is computed
 * once.
 */
export interface Line {
  readonly at_ms: Float64Array;
  readonly logs: Float64Array;
  /** Calls behind each step: their mean or median is as sure as they are many. */
  readonly held: Float64Array;
  /** The steps of each hour, as places in `logs`, and medians of the first so many of them. */
  readonly by_hour: ReadonlyMap<number, HourOfLine>;
}

interface HourOfLine {
  readonly places: number[];
  readonly medians: Map<number, number>;
}

/** Steps that a line must have before its cut, and of one hour for that to have a level. */
export const EARLIER_MIN = 24;
export const DAYS_MIN = 3;
const DF_MIN = 8;

export function lineOf(series: Series, steps: readonly Step[]): Line {
  const by_hour = new Map<number, HourOfLine>();
  for (const [place, { hour }] of steps.entries()) {
    const own = by_hour.get(hour) ?? { places: [], medians: new Map<number, number>() };
    own.places.push(place);
    by_hour.set(hour, own);
  }
  return {
    at_ms: Float64Array.from(steps, ({ index }) => series.from_ms + index * series.step_ms),
    logs: Float64Array.from(steps, ({ index }) =>
      Math.log(Math.max(1e-9, series.values[index] ?? 0)),
    ),
    held: Float64Array.from(steps, ({ index }) => Math.max(1, series.counts[index] ?? 0)),
    by_hour,
  };
}

export interface Rise {
  /**
   * Mean logarithm of the newest steps, each weighted as it is sure, and by how much it is above
   * the medians of its hours.
   */
  readonly level: number;
  readonly rise: number;
  readonly error: number;
  readonly df: number;
}

/** The steps since a moment against those before; null where either are too few. */
export function riseSince(line: Line, since_ms: number): Rise | null {
  const { logs, at_ms, held } = line;
  let cut = logs.length;
  while (cut > 0 && at(at_ms, cut - 1) >= since_ms) cut -= 1;
  if (cut === logs.length || cut < EARLIER_MIN) return null;
  const { off, doubt, hours } = offsOf(line, cut);
  // Medians by hour were fitted to the same steps: a degree of freedom each.
  const df = Math.max(DF_MIN, cut - hours);
  const noise = noiseOf(off.subarray(0, cut), held.subarray(0, cut), df);
  let [weights, level, rise] = [0, 0, 0];
  for (let place = cut; place < logs.length; place += 1) {
    const weight = 1 / (noise.varianceAt(at(held, place)) * (1 + at(doubt, place)));
    weights += weight;
    level += weight * at(logs, place);
    rise += weight * at(off, place);
  }
  const error = Math.sqrt(1 / weights + noise.variance / cut);
  return { level: level / weights, rise: rise / weights, error, df };
}

/** The variance of a median over that of a mean. */
const MEDIAN_VARIANCE = Math.PI / 2;

/**
 * Each step less the level of its hour before the cut, or of all hours where it has none, and the
 * variance of that level over a step's.
 */
function offsOf({ logs, by_hour }: Line, cut: number) {
  const off = new Float64Array(logs.length);
  const doubt = new Float64Array(logs.length);
  let all: number | null = null;
  let hours = 0;
  for (const { places, medians } of by_hour.values()) {
    let earlier = places.length;
    while (earlier > 0 && (places[earlier - 1] as number) >= cut) earlier -= 1;
    if (earlier > 0) hours += 1;
    let level = medians.get(earlier);
    if (earlier < DAYS_MIN) {
      all ??= median(logs.subarray(0, cut));
      level = all;
    } else if (level === undefined) {
      level = median(places.slice(0, earlier).map((place) => at(logs, place)));
      medians.set(earlier, level);
    }
    const variance = MEDIAN_VARIANCE / (earlier < DAYS_MIN ? cut : earlier);
    for (const place of places) {
      off[place] = at(logs, place) - (level as number);
      doubt[place] = variance;
    }
  }
  return { off, doubt, hours };
}
