/** Order statistics and small numerics that the series algorithms share. All pure. */

/** A consistent estimate of a normal's standard deviation is this times the MAD. */
export const MAD_TO_SIGMA = 1.482602218505602;

/** `values[index]`, for indices that are known to be inside. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}

export function sortedCopy(values: ArrayLike<number>): Float64Array {
  const sorted = new Float64Array(values);
  return sorted.length <= INSERTED_MAX ? inserted(sorted) : sorted.sort();
}

/** Below this, insertion beats the call into the engine's own sort. */
const INSERTED_MAX = 24;

/** Sorts in place; not for NaN, which `sort` would put last. */
function inserted<Values extends Float64Array | number[]>(values: Values): Values {
  for (let index = 1; index < values.length; index += 1) {
    const value = at(values, index);
    let place = index - 1;
    while (place >= 0 && at(values, place) > value) {
      values[place + 1] = at(values, place);
      place -= 1;
    }
    values[place + 1] = value;
  }
  return values;
}

/** The `share` quantile of ascending values, linear between neighbours; NaN of nothing. */
export function quantileSorted(sorted: ArrayLike<number>, share: number): number {
  const last = sorted.length - 1;
  if (last < 0) return Number.NaN;
  const place = Math.min(last, Math.max(0, share * last));
  const below = Math.floor(place);
  const low = at(sorted, below);
  return below === last ? low : low + (place - below) * (at(sorted, below + 1) - low);
}

export function median(values: ArrayLike<number>): number {
  return values.length <= INSERTED_MAX ? medianOfFew(values) : medianOf(new Float64Array(values));
}

/** Into a plain array, which costs less to make than it takes to fill it. */
function medianOfFew(values: ArrayLike<number>): number {
  const sorted: number[] = [];
  for (let index = 0; index < values.length; index += 1) sorted.push(at(values, index));
  return quantileSorted(inserted(sorted), 0.5);
}

/** Puts its values in another order. Selected where that is quicker than to sort all. */
function medianOf(values: Float64Array): number {
  const size = values.length;
  if (size <= INSERTED_MAX || hasNaN(values)) {
    return quantileSorted(size <= INSERTED_MAX ? inserted(values) : values.sort(), 0.5);
  }
  const below = (size - 1) >> 1;
  const low = selected(values, below);
  if (size % 2 === 1) return low;
  let high = at(values, below + 1);
  for (let index = below + 2; index < size; index += 1) {
    if (at(values, index) < high) high = at(values, index);
  }
  return low + 0.5 * (high - low);
}

function hasNaN(values: Float64Array): boolean {
  for (let index = 0; index < values.length; index += 1) {
    if (Number.isNaN(at(values, index))) return true;
  }
  return false;
}

/**
 * The value that would be at `place` were they sorted, which is there afterwards, with none greater
 * before it and none less behind it (C. A. R. Hoare's FIND, 1961). Not for NaN.
 */
function selected(values: Float64Array, place: number): number {
  let [left, right] = [0, values.length - 1];
  while (left < right) {
    const pivot = middleOf(at(values, left), at(values, (left + right) >> 1), at(values, right));
    let [low, high] = [left, right];
    while (low <= high) {
      while (at(values, low) < pivot) low += 1;
      while (at(values, high) > pivot) high -= 1;
      if (low > high) break;
      const swapped = at(values, low);
      values[low] = at(values, high);
      values[high] = swapped;
      low += 1;
      high -= 1;
    }
    if (place <= high) right = high;
    else if (place >= low) left = low;
    else break;
  }
  return at(values, place);
}

function middleOf(one: number, two: number, three: number): number {
  if (one < two) return two < three ? two : one < three ? three : one;
  return one < three ? one : two < three ? three : two;
}

/** 1.4826 × the median absolute deviation from `centre`: a normal's σ, whatever a few outliers. */
export function madSigma(values: ArrayLike<number>, centre: number): number {
  const away = new Float64Array(values.length);
  for (let index = 0; index < away.length; index += 1) {
    away[index] = Math.abs(at(values, index) - centre);
  }
  return MAD_TO_SIGMA * medianOf(away);
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += at(values, index);
  return sum / values.length;
}

/** Values that are numbers, with the index of each; nulls and non-finite values are left out. */
export function present(values: ArrayLike<number | null>): {
  readonly index: Int32Array;
  readonly value: Float64Array;
} {
  const index = new Int32Array(values.length);
  const value = new Float64Array(values.length);
  let count = 0;
  for (let row = 0; row < values.length; row += 1) {
    const one = values[row];
    if (one === null || one === undefined || !Number.isFinite(one)) continue;
    index[count] = row;
    value[count] = one;
    count += 1;
  }
  return { index: index.subarray(0, count), value: value.subarray(0, count) };
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** ln Γ(x) for x > 0 (Stirling's series after a shift), good to 1e-10. */
export function lnGamma(x: number): number {
  let shift = 0;
  let y = x;
  while (y < 8) {
    shift += Math.log(y);
    y += 1;
  }
  const inverse = 1 / y;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
