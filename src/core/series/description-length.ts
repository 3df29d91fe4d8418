import { at, clamp } from './numbers.ts';
import { type Family, fitSegment, type Sums } from './segment-costs.ts';

/** A way to describe a series: changes, what holds between them, and what it costs to say so. */
export interface Description {
  readonly family: Family;
  readonly changes: readonly number[];
  /** −2 ln likelihood plus the price of the parameters; less is better. */
  readonly length: number;
}

/** A series' memory of itself is not believed beyond this: a drift would explain every change. */
const PHI_MAX = 0.9;

export interface Pricing {
  /** Variance added to every fit: what an eye would not tell from nothing. */
  readonly floor: number;
  /** Price of a change's place, in units of ln n. */
  readonly place: number;
}

/**
 * The description length of a segmentation (R. A. Davis, T. C. M. Lee, G. A. Rodriguez-Yam,
 * "Structural break estimation for nonstationary time series models", JASA 2006), with noise that
 * may be autocorrelated (AR(1), one coefficient for all segments): a wandering series must not be
 * paid for with changes. A parameter of a segment costs ln(its rows), a place `place` × ln n.
 */
export function describe(
  sums: Sums,
  family: Family,
  changes: readonly number[],
  pricing: Pricing,
): Description {
  const rest = residuals(sums, family.line, changes);
  const price = priceOf(family, changes, sums.values.length, pricing);
  const length = noiseLength(rest, changes, family.own_variance, pricing.floor) + price;
  return { family, changes, length };
}

function priceOf(
  { parameters }: Family,
  changes: readonly number[],
  rows: number,
  { place }: Pricing,
): number {
  let price = changes.length * place * Math.log(rows);
  const bounds = [0, ...changes, rows];
  for (let index = 1; index < bounds.length; index += 1) {
    price += parameters * Math.log(Math.max(2, at(bounds, index) - at(bounds, index - 1)));
  }
  return price;
}

export function residuals(sums: Sums, line: boolean, changes: readonly number[]): Float64Array {
  const { values } = sums;
  const rest = new Float64Array(values.length);
  const bounds = [0, ...changes, values.length];
  for (let index = 1; index < bounds.length; index += 1) {
    const [from, to] = [at(bounds, index - 1), at(bounds, index)];
    const { level, slope } = fitSegment(sums, from, to, line);
    const middle = (from + to - 1) / 2;
    for (let row = from; row < to; row += 1) {
      rest[row] = at(values, row) - level - slope * (row - middle);
    }
  }
  return rest;
}

/**
 * −2 ln likelihood of residuals under AR(1) noise, with a variance a segment or one for all. What
 * variances of their own gain is divided by (κ − 1) / 2, κ the kurtosis (of all rows and within
 * segments, their geometric mean): the
 * estimate of a variance is that much less certain than a normal's, and bursts are no new variance.
 */
export function noiseLength(
  rest: Float64Array,
  changes: readonly number[],
  own_variance: boolean,
  floor: number,
): number {
  const bounds = [0, ...changes, rest.length];
  const phi = memoryOf(rest, bounds);
  let [own, all, fourth, fourth_own] = [0, 0, 0, 0];
  for (let index = 1; index < bounds.length; index += 1) {
    const [from, to] = [at(bounds, index - 1), at(bounds, index)];
    let squares = (1 - phi * phi) * at(rest, from) ** 2;
    let fourths = squares * squares;
    for (let row = from + 1; row < to; row += 1) {
      const square = (at(rest, row) - phi * at(rest, row - 1)) ** 2;
      squares += square;
      fourths += square * square;
    }
    const variance = squares / (to - from) + floor;
    all += squares;
    own += (to - from) * Math.log(variance);
    fourth += fourths;
    fourth_own += fourths / (variance * variance);
  }
  const common = rest.length * Math.log(all / rest.length + floor);
  if (!own_variance) return common;
  const variance = all / rest.length + floor;
  const kurtosis = Math.sqrt((fourth / (variance * variance)) * fourth_own) / rest.length;
  return common - (common - own) / Math.max(1, (kurtosis - 1) / 2);
}

/** The lag-1 autocorrelation within segments, corrected for the means that were taken off. */
export function memoryOf(rest: Float64Array, bounds: readonly number[]): number {
  let [products, squares] = [0, 0];
  for (let index = 1; index < bounds.length; index += 1) {
    const [from, to] = [at(bounds, index - 1), at(bounds, index)];
    for (let row = from; row < to; row += 1) {
      squares += at(rest, row) ** 2;
      if (row > from) products += at(rest, row) * at(rest, row - 1);
    }
  }
  if (squares <= 0) return 0;
  const raw = products / squares;
  const rows_each = rest.length / (bounds.length - 1);
  return clamp(raw + (1 + 3 * Math.max(0, raw)) / rows_each, 0, PHI_MAX);
}
