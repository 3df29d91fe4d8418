import { at } from './numbers.ts';
import type { SegmentCost } from './pelt.ts';

/** What a segment is described by: its level, or a line; with its own variance, or one for all. */
export interface Family {
  readonly name: 'mean' | 'line' | 'mean-variance' | 'line-variance' | 'bent-line';
  readonly line: boolean;
  readonly own_variance: boolean;
  /** Parameters of a segment. */
  readonly parameters: number;
}

export const FAMILIES: readonly Family[] = [
  { name: 'mean', line: false, own_variance: false, parameters: 1 },
  { name: 'line', line: true, own_variance: false, parameters: 2 },
  { name: 'mean-variance', line: false, own_variance: true, parameters: 2 },
  { name: 'line-variance', line: true, own_variance: true, parameters: 3 },
];
/** One line that bends but does not break: a parameter a bend. */
export const BENT_LINE: Family = {
  name: 'bent-line',
  line: true,
  own_variance: false,
  parameters: 1,
};

/** Sums up to each row, so that any segment's fit costs the same. */
export interface Sums {
  readonly values: Float64Array;
  readonly y: Float64Array;
  readonly yy: Float64Array;
  readonly ty: Float64Array;
}

export function sumsOf(values: Float64Array): Sums {
  const size = values.length + 1;
  const [y, yy, ty] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  for (let index = 0; index < values.length; index += 1) {
    const value = at(values, index);
    y[index + 1] = at(y, index) + value;
    yy[index + 1] = at(yy, index) + value * value;
    ty[index + 1] = at(ty, index) + value * index;
  }
  return { values, y, yy, ty };
}

/** A segment's own line: `level` at its middle row, `slope` a row, and the squared rest. */
export interface Fit {
  readonly level: number;
  readonly slope: number;
  readonly squares: number;
}

export function fitSegment(sums: Sums, from: number, to: number, line: boolean): Fit {
  const count = to - from;
  const sum = at(sums.y, to) - at(sums.y, from);
  const level = sum / count;
  const around = at(sums.yy, to) - at(sums.yy, from) - sum * level;
  if (!line || count < 3) return { level, slope: 0, squares: Math.max(0, around) };
  const middle = (from + to - 1) / 2;
  const product = at(sums.ty, to) - at(sums.ty, from) - middle * sum;
  const spread = (count * (count * count - 1)) / 12;
  const slope = product / spread;
  return { level, slope, squares: Math.max(0, around - slope * product) };
}

/**
 * −2 ln of the Gaussian likelihood, up to a constant: squares over the common variance, or
 * n ln(own variance), which is not let under `floor`, the least variance an eye would see.
 */
export function costOf(sums: Sums, family: Family, variance: number, floor: number): SegmentCost {
  const { line, own_variance } = family;
  if (own_variance) {
    return (from, to) =>
      (to - from) * Math.log(squaresOf(sums, from, to, line) / (to - from) + floor);
  }
  return (from, to) => squaresOf(sums, from, to, line) / variance;
}

/** The squares of `fitSegment` alone: no object, as this is called millions of times. */
function squaresOf({ y, yy, ty }: Sums, from: number, to: number, line: boolean): number {
  const count = to - from;
  const sum = at(y, to) - at(y, from);
  const around = at(yy, to) - at(yy, from) - (sum * sum) / count;
  if (!line || count < 3) return Math.max(0, around);
  const product = at(ty, to) - at(ty, from) - ((from + to - 1) / 2) * sum;
  return Math.max(0, around - (12 * product * product) / (count * (count * count - 1)));
}
