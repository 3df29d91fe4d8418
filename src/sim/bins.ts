import {
  QUANTITIES,
  type Quantity,
  type SegmentObservation,
  type Sketch,
} from '../core/observation.ts';
import { SKETCH_ACCURACY } from '../core/sketch.ts';

const GAMMA_LN = Math.log((1 + SKETCH_ACCURACY) / (1 - SKETCH_ACCURACY));
/** Bins from e^−14 (a millionth) to e^14 (a million): what latencies, tokens and prices need. */
const BIN_LEAST = Math.floor(-14 / GAMMA_LN);
const BINS = Math.ceil(14 / GAMMA_LN) - BIN_LEAST + 1;
export const NO_BIN = -1;
const ZERO_BIN = -2;

/** The place of a value in a tally's bins; DDSketch's index, moved so that it begins at 0. */
export function binOf(value: number | null): number {
  if (value === null) return NO_BIN;
  if (value <= 0) return ZERO_BIN;
  const index = Math.ceil(Math.log(value) / GAMMA_LN) - BIN_LEAST;
  return Math.min(BINS - 1, Math.max(0, index));
}

/** A quantity's values in bins, which can also be taken out again. */
export interface Values {
  readonly bins: Int32Array;
  count: number;
  sum: number;
  zeros: number;
  /** The lowest and the highest bin that ever held anything. */
  low: number;
  high: number;
  /** Of all that was ever in. */
  min: number;
  max: number;
}

export function emptyValues(): Values {
  return {
    bins: new Int32Array(BINS),
    count: 0,
    sum: 0,
    zeros: 0,
    low: BINS,
    high: -1,
    min: Infinity,
    max: -Infinity,
  };
}

export function addValue(values: Values, value: number | null, bin: number, sign: 1 | -1): void {
  if (value === null || bin === NO_BIN) return;
  values.count += sign;
  values.sum += sign * value;
  if (value < values.min) values.min = value;
  if (value > values.max) values.max = value;
  if (bin === ZERO_BIN) values.zeros += sign;
  else {
    values.bins[bin] = (values.bins[bin] ?? 0) + sign;
    if (bin < values.low) values.low = bin;
    if (bin > values.high) values.high = bin;
  }
}

/**
 * The sketches of what is in, each made when it is first read: of many that a look could read, it
 * reads few. `stands` tells whether the values are still as they were: once they are not, a sketch
 * that was not read yet cannot be read any more, and throws.
 */
export function quantitiesOf(
  parts: readonly (readonly Values[])[],
  stands: () => boolean = () => true,
): SegmentObservation['quantities'] {
  const found: Partial<Record<Quantity, Sketch>> = {};
  for (const [index, quantity] of QUANTITIES.entries()) {
    if (!parts.some((values) => (values[index]?.count ?? 0) > 0)) continue;
    let sketch: Sketch | null = null;
    const get = (): Sketch => {
      if (sketch === null && !stands()) throw new Error(`the ${quantity} of a look that is over`);
      sketch ??= sketchOf(parts.map((values) => values[index]));
      return sketch;
    };
    Object.defineProperty(found, quantity, { get, enumerable: true });
  }
  return found;
}

/** Of what has left only bins are known, so `min` and `max` are bounds within the accuracy. */
function sketchOf(parts: readonly (Values | undefined)[]): Sketch {
  const bins: [number, number][] = [];
  let [sum, zeros, count] = [0, 0, 0];
  for (const part of parts) {
    sum += part?.sum ?? 0;
    zeros += part?.zeros ?? 0;
  }
  const low = Math.min(...parts.map((part) => part?.low ?? BINS));
  const high = Math.max(...parts.map((part) => part?.high ?? -1));
  for (let bin = low; bin <= high; bin += 1) {
    let held = 0;
    for (const part of parts) held += part?.bins[bin] ?? 0;
    if (held === 0) continue;
    count += held;
    bins.push([bin + BIN_LEAST, held]);
  }
  const least = Math.min(...parts.map((part) => part?.min ?? Infinity));
  const most = Math.max(...parts.map((part) => part?.max ?? -Infinity));
  const [first, last] = [bins[0], bins.at(-1)];
  return {
    accuracy: SKETCH_ACCURACY,
    count: count + zeros,
    sum,
    min: zeros > 0 || !first ? 0 : Math.max(least, Math.exp((first[0] - 1) * GAMMA_LN)),
    max: last ? Math.min(most, Math.exp(last[0] * GAMMA_LN)) : 0,
    zeros,
    bins,
  };
}
