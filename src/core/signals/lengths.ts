/**
 * What lengths are usual, as a histogram of their logarithms: quarter octaves, so a quantile is
 * right within a fifth of itself. Old answers fade: at `FADE_AT` all counts are halved.
 */
export interface Lengths {
  /** Where a length lies beyond the usual ones, or null; then it counts as one of them. */
  add(chars: number): 'short' | 'long' | null;
  /** The median length in characters, or null while too few are known. */
  median(): number | null;
}

const BINS_PER_OCTAVE = 4;
/** Up to 2^22 characters. */
const BINS = 22 * BINS_PER_OCTAVE;
/** Answers before anything is called unusual. */
export const LENGTHS_MIN = 200;
const FADE_AT = 4096;
/** Tukey's outer fences on the logarithm: three times the distance of the quartiles, and at least
 * two octaves, since an agent that always answers alike must not call each longer word unusual. */
const FENCE = 3;
const FENCE_BINS_MIN = 2 * BINS_PER_OCTAVE;
/** Fences are worked out anew after so many answers. */
const RECKON_EVERY = 32;

export function createLengths(): Lengths {
  const bins = new Float64Array(BINS);
  let seen = 0;
  let since = 0;
  let low = -1;
  let high = BINS;

  const binAt = (share: number): number => {
    let left = seen * share;
    for (let bin = 0; bin < BINS; bin += 1) {
      left -= bins[bin] as number;
      if (left <= 0) return bin;
    }
    return BINS - 1;
  };
  const reckon = (): void => {
    since = 0;
    if (seen < LENGTHS_MIN) return;
    const [lower, upper] = [binAt(0.25), binAt(0.75)];
    const reach = Math.max(FENCE * (upper - lower), FENCE_BINS_MIN);
    low = lower - reach;
    high = upper + reach;
  };

  return {
    add(chars) {
      const bin = binOf(chars);
      const known = seen >= LENGTHS_MIN;
      bins[bin] = (bins[bin] as number) + 1;
      seen += 1;
      since += 1;
      if (seen >= FADE_AT) {
        for (let at = 0; at < BINS; at += 1) bins[at] = (bins[at] as number) / 2;
        seen /= 2;
      }
      const side = bin < low ? 'short' : bin > high ? 'long' : null;
      if (since >= RECKON_EVERY) reckon();
      return known ? side : null;
    },
    median() {
      if (seen < LENGTHS_MIN) return null;
      return Math.round(2 ** ((binAt(0.5) + 0.5) / BINS_PER_OCTAVE));
    },
  };
}

function binOf(chars: number): number {
  const bin = Math.floor(Math.log2(Math.max(1, chars)) * BINS_PER_OCTAVE);
  return Math.min(BINS - 1, bin);
}
