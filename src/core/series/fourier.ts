import { at } from './numbers.ts';

/**
 * Fast Fourier transform in place (J. W. Cooley and J. W. Tukey 1965), radix 2: the length of both
 * arrays is the same power of two. Forward, without a factor.
 */
export function fourier(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  reorder(real, imaginary);
  for (let span = 2; span <= size; span *= 2) {
    const half = span / 2;
    const turn = (-2 * Math.PI) / span;
    for (let k = 0; k < half; k += 1) {
      const [cos, sin] = [Math.cos(turn * k), Math.sin(turn * k)];
      for (let even = k; even < size; even += span) {
        const odd = even + half;
        const re = at(real, odd) * cos - at(imaginary, odd) * sin;
        const im = at(real, odd) * sin + at(imaginary, odd) * cos;
        real[odd] = at(real, even) - re;
        imaginary[odd] = at(imaginary, even) - im;
        real[even] = at(real, even) + re;
        imaginary[even] = at(imaginary, even) + im;
      }
    }
  }
}

/** Places in the order of their bits read backwards. */
function reorder(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  let mirror = 0;
  for (let place = 1; place < size; place += 1) {
    let bit = size >> 1;
    while (mirror & bit) {
      mirror ^= bit;
      bit >>= 1;
    }
    mirror |= bit;
    if (place >= mirror) continue;
    const [re, im] = [at(real, place), at(imaginary, place)];
    real[place] = at(real, mirror);
    imaginary[place] = at(imaginary, mirror);
    real[mirror] = re;
    imaginary[mirror] = im;
  }
}

/** Σ values[i] × values[i − lag] for lags 0 … lag_max, in O(n log n). */
export function lagProducts(values: ArrayLike<number>, lag_max: number): Float64Array {
  const needed = values.length + lag_max + 1;
  let size = 2;
  while (size < needed) size *= 2;
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  real.set(values);
  fourier(real, imaginary);
  for (let place = 0; place < size; place += 1) {
    real[place] = at(real, place) ** 2 + at(imaginary, place) ** 2;
  }
  imaginary.fill(0);
  // The power spectrum is even, so forward is backward.
  fourier(real, imaginary);
  return Float64Array.from({ length: lag_max + 1 }, (_, lag) => at(real, lag) / size);
}
