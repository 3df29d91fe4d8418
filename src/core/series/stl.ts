import { at, clamp, median } from './numbers.ts';

/** A series in parts that add up to it: as long as the series each. */
export interface Decomposition {
  readonly trend: Float64Array;
  /** One a period, in the order of the periods. */
  readonly seasonal: readonly Float64Array[];
  readonly remainder: Float64Array;
}

interface Loess {
  readonly span: number;
  readonly weights: Float64Array | null;
}

/** Rounds of robustness weights: what an outlier needs to leave trend and season alone. */
const ROBUST_ROUNDS = 2;
const INNER_ROUNDS = 2;
/** Points that a local line is computed at; between them the curve is drawn straight. */
const KNOTS_PER_SPAN = 10;

/**
 * MSTL (K. Bandara, R. J. Hyndman, C. Bergmeir 2021, arXiv:2107.13462): STL (R. B. Cleveland et
 * al., J. Official Statistics 1990) for each period in turn, shortest first, twice over. Periods of
 * which there are not two cycles are left out; without any period the trend is a loess curve.
 */
export function mstl(
  values: ArrayLike<number>,
  periods: readonly number[],
  seasonal_span = 11,
): Decomposition {
  const size = values.length;
  const usable = [...periods]
    .filter((period) => period >= 2 && 2 * period <= size)
    .sort((left, right) => left - right);
  const data = Float64Array.from(values);
  const seasonal = usable.map(() => new Float64Array(size));
  let trend: Float64Array = new Float64Array(size);
  for (let round = 0; round < (usable.length > 1 ? 2 : 1); round += 1) {
    usable.forEach((period, which) => {
      const others = seasonal.filter((_, index) => index !== which);
      const rest = data.map((value, index) => value - sumAt(others, index));
      const parts = stl(rest, period, seasonal_span);
      seasonal[which] = Float64Array.from(parts.seasonal);
      trend = Float64Array.from(parts.trend);
    });
  }
  if (usable.length === 0) trend = smooth(data, { span: oddAtLeast(size / 3), weights: null });
  const remainder = data.map((value, index) => value - at(trend, index) - sumAt(seasonal, index));
  return { trend, seasonal, remainder };
}

function sumAt(parts: readonly Float64Array[], index: number): number {
  return parts.reduce((sum, part) => sum + at(part, index), 0);
}

function stl(data: Float64Array, period: number, seasonal_span: number) {
  const size = data.length;
  const trend_span = oddAtLeast((1.5 * period) / (1 - 1.5 / seasonal_span));
  let trend: Float64Array = new Float64Array(size);
  let seasonal: Float64Array = new Float64Array(size);
  let weights: Float64Array | null = null;
  for (let round = 0; round <= ROBUST_ROUNDS; round += 1) {
    for (let inner = 0; inner < INNER_ROUNDS; inner += 1) {
      const flat = data.map((value, index) => value - at(trend, index));
      const cycles = smoothCycles(flat, period, { span: seasonal_span, weights });
      const low = lowPass(cycles, period, size);
      seasonal = Float64Array.from(low, (value, index) => at(cycles, index + period) - value);
      const bare = data.map((value, index) => value - at(seasonal, index));
      trend = smooth(bare, { span: trend_span, weights });
    }
    weights = robustness(
      data.map((value, index) => value - at(trend, index) - at(seasonal, index)),
    );
  }
  return { trend, seasonal };
}

function oddAtLeast(width: number): number {
  const whole = Math.max(3, Math.ceil(width));
  return whole % 2 === 1 ? whole : whole + 1;
}

/** Bisquare weights of six times the median size of the remainder. */
function robustness(remainder: Float64Array): Float64Array {
  const bound = 6 * median(remainder.map(Math.abs));
  if (bound <= 0) return remainder.map((value) => (value === 0 ? 1 : 0.01));
  return remainder.map((value) => {
    const u = Math.abs(value) / bound;
    return u >= 1 ? 1e-3 : (1 - u * u) ** 2;
  });
}

/** Each phase's own series smoothed, one period longer than the data at both ends. */
function smoothCycles(flat: Float64Array, period: number, { span, weights }: Loess): Float64Array {
  const size = flat.length;
  const result = new Float64Array(size + 2 * period);
  for (let phase = 0; phase < period; phase += 1) {
    const count = Math.ceil((size - phase) / period);
    const part = Float64Array.from({ length: count }, (_, i) => at(flat, phase + i * period));
    const own = weights
      ? Float64Array.from({ length: count }, (_, i) => at(weights, phase + i * period))
      : null;
    for (let cycle = -1; cycle <= count; cycle += 1) {
      const place = phase + (cycle + 1) * period;
      if (place < result.length) result[place] = loessAt(part, cycle, { span, weights: own });
    }
  }
  return result;
}

/**
 * Moving means of one period twice and of three, then loess: what is not seasonal in the cycles.
 */
function lowPass(cycles: Float64Array, period: number, size: number): Float64Array {
  const means = movingMean(movingMean(movingMean(cycles, period), period), 3);
  return smooth(means.subarray(0, size), { span: oddAtLeast(period), weights: null });
}

function movingMean(values: Float64Array, width: number): Float64Array {
  const result = new Float64Array(values.length - width + 1);
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) {
    sum += at(values, index) - (index >= width ? at(values, index - width) : 0);
    if (index >= width - 1) result[index - width + 1] = sum / width;
  }
  return result;
}

/** The loess curve at every index; computed at knots and drawn straight between them. */
export function smooth(values: Float64Array, loess: Loess): Float64Array {
  const size = values.length;
  const step = Math.max(1, Math.floor(Math.min(loess.span, size) / KNOTS_PER_SPAN));
  const result = new Float64Array(size);
  let left = 0;
  let low = loessAt(values, 0, loess);
  while (left < size - 1) {
    const right = Math.min(size - 1, left + step);
    const high = loessAt(values, right, loess);
    for (let index = left; index <= right; index += 1) {
      result[index] = low + ((high - low) * (index - left)) / (right - left);
    }
    left = right;
    low = high;
  }
  if (size === 1) result[0] = low;
  return result;
}

/** A line by least squares around `place`, which may be outside, with tricube weights. */
function loessAt(values: Float64Array, place: number, { span, weights }: Loess): number {
  const size = values.length;
  const width = Math.min(span, size);
  const start = clamp(Math.round(place) - Math.floor(width / 2), 0, size - width);
  const end = start + width - 1;
  const extra = span > size ? (span - size) / 2 : 0;
  const reach = Math.max(place - start, end - place, 0.5) + extra;
  let [w0, w1, w2, v0, v1] = [0, 0, 0, 0, 0];
  for (let index = start; index <= end; index += 1) {
    const x = index - place;
    const u = Math.abs(x) / (reach * 1.0001);
    const cube = u * u * u;
    const rest = 1 - cube;
    const tricube = u >= 1 ? 0 : rest * rest * rest;
    const weight = Math.max(tricube, 1e-9) * (weights ? at(weights, index) : 1);
    const y = at(values, index);
    w0 += weight;
    w1 += weight * x;
    w2 += weight * x * x;
    v0 += weight * y;
    v1 += weight * x * y;
  }
  const spread = w0 * w2 - w1 * w1;
  if (spread <= 1e-9 * w0 * w0 * Math.max(1, reach * reach * 1e-4)) return v0 / w0;
  return (w2 * v0 - w1 * v1) / spread;
}
