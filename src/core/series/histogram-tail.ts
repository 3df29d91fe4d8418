import { at, clamp } from './numbers.ts';

export interface HistogramTailOptions {
  /** Values that weigh: when so many are known, all that came before count half. */
  readonly memory?: number;
  /** Values needed before anything can be unusual. */
  readonly least?: number;
}

/** How unusual a positive number is against those before it. */
export interface HistogramTail {
  /** −log10 of P(as large as this) by the values so far, 0 while too few are known; learns it. */
  take(value: number): number;
  readonly count: number;
}

const EXTREMES_KEPT = 8;
/** Bins of 1/12 of ln over e^−12 … e^36: 8 % wide. What lies outside is in the outermost. */
const BIN = 1 / 12;
const LN_LEAST = -12;
const BINS = 576;

/** Share of the values above the threshold whose excesses the Pareto tail is fitted to. */
const TAIL_SHARE = 0.06;
/** Excesses that the prior counts for: a tail somewhat heavier than exponential. */
const PRIOR = { weight: 12, shape: 0.12 };
/** Values of P below 10^−EXTREME are learned from one in so many rows: an episode is one event. */
const EXTREME = 2.5;
const EXTREME_EVERY = 15;

/**
 * The upper tail of a stream of positive numbers, as `createTail` has it, at a price that does not
 * depend on how many are remembered: counts by bins of the logarithm, above the 94 % quantile a
 * generalised Pareto distribution (A. Siffer et al., SPOT, KDD 2017) by probability-weighted
 * moments (Hosking and Wallis 1987) of the bins, drawn towards a prior shape while they are few.
 */
export function createHistogramTail(options: HistogramTailOptions = {}): HistogramTail {
  const { memory = 4000, least = 40 } = options;
  const counts = new Float64Array(BINS);
  const beyond = new Float64Array(BINS + 1);
  let [count, total, refit_at, spared] = [0, 0, least, EXTREME_EVERY];
  let fit: Pareto | null = null;
  const extremes: number[] = [];
  let habit = 0;
  const surpriseOf = (value: number): number => {
    if (fit === null) return 0;
    if (value > fit.threshold) return paretoSurprise(fit, value);
    const place = placeOf(value);
    const bin = Math.floor(place);
    const share = at(beyond, bin) + (place - bin) * (at(beyond, bin + 1) - at(beyond, bin));
    return -Math.log10(Math.min(1, Math.max(share, 1e-12)));
  };
  const learn = (value: number, surprise: number): void => {
    spared += 1;
    if (surprise > EXTREME) {
      if (spared < EXTREME_EVERY) return;
      spared = 0;
      extremes.push(value);
      habit = secondLargest(extremes);
      if (extremes.length > EXTREMES_KEPT) extremes.shift();
    }
    const bin = Math.floor(placeOf(fit ? Math.min(value, Math.max(fit.bound, habit)) : value));
    counts[bin] = at(counts, bin) + 1;
    count += 1;
    total += 1;
    if (count < refit_at) return;
    refit_at = count + clamp(Math.floor(count / 10), 10, 250);
    if (total > memory) {
      for (let index = 0; index < BINS; index += 1) counts[index] = at(counts, index) / 2;
      total /= 2;
    }
    fit = fitBins(counts, total, beyond);
  };
  return {
    get count() {
      return count;
    },
    take(value) {
      const surprise = surpriseOf(value);
      learn(value, surprise);
      return surprise;
    },
  };
}

/** What came twice is believed: one outlier is drawn in, the second of its size is not. */
function secondLargest(values: readonly number[]): number {
  let [first, second] = [0, 0];
  for (const value of values) {
    second = Math.max(second, Math.min(first, value));
    first = Math.max(first, value);
  }
  return second;
}

function placeOf(value: number): number {
  const place = (Math.log(value) - LN_LEAST) / BIN;
  return place > 0 ? Math.min(place, BINS - 1) : 0;
}

const edgeOf = (bin: number): number => Math.exp(LN_LEAST + bin * BIN);

interface Pareto {
  readonly threshold: number;
  readonly share: number;
  readonly shape: number;
  readonly scale: number;
  /** Where P is 0.1 / n: what is learned of a value beyond it. */
  readonly bound: number;
}

function paretoSurprise({ threshold, share, shape, scale }: Pareto, value: number): number {
  const ln = Math.log(share) - Math.log1p((shape * (value - threshold)) / scale) / shape;
  return Math.min(300, -ln * Math.LOG10E);
}

/** Fills `beyond` with P(not below the bin's edge) and fits the tail. */
function fitBins(counts: Float64Array, total: number, beyond: Float64Array): Pareto {
  let above = 0;
  let start = BINS;
  let middle = BINS;
  for (let bin = BINS - 1; bin >= 0; bin -= 1) {
    above += at(counts, bin);
    // One more than there are: nothing of the past is impossible.
    beyond[bin] = (above + 1) / (total + 1);
    if (above <= TAIL_SHARE * total) start = bin;
    if (above <= 0.5 * total) middle = bin;
  }
  beyond[BINS] = 1 / (total + 1);
  const threshold = edgeOf(start);
  const spread = Math.max(threshold - edgeOf(middle), 1e-3 * threshold, 1e-12);
  const { shape, scale, excesses } = paretoOf(counts, start, threshold, spread / 2);
  const share = Math.max(excesses, 1) / (total + 1);
  const p_bound = 0.1 / (total + 1);
  const bound = threshold + (scale / shape) * ((p_bound / share) ** -shape - 1);
  return { threshold, share, shape, scale, bound };
}

function paretoOf(counts: Float64Array, start: number, threshold: number, fallback: number) {
  let excesses = 0;
  for (let bin = start; bin < BINS; bin += 1) excesses += at(counts, bin);
  if (excesses < 3) return { shape: PRIOR.shape, scale: fallback, excesses };
  let [b0, b1, rank] = [0, 0, 0];
  for (let bin = start; bin < BINS; bin += 1) {
    const here = at(counts, bin);
    if (here === 0) continue;
    const excess = edgeOf(bin + 0.5) - threshold;
    b0 += here * excess;
    b1 += here * excess * (excesses - rank - 0.5 * (here - 1) - 0.65);
    rank += here;
  }
  b0 /= excesses;
  b1 /= excesses * excesses;
  const raw = 2 - b0 / Math.max(1e-12, b0 - 2 * b1);
  const weight = excesses / (excesses + PRIOR.weight);
  const shape = clamp(weight * clamp(raw, -0.5, 0.7) + (1 - weight) * PRIOR.shape, 0.02, 0.6);
  const drawn = Math.max(b0 * (1 - shape), 1e-12);
  return { shape, scale: weight * drawn + (1 - weight) * Math.max(drawn, fallback), excesses };
}
