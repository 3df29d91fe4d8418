import { at, clamp, mean, quantileSorted, sortedCopy } from './numbers.ts';
import { Ring } from './ring.ts';

export interface TailOptions {
  /** Values remembered. */
  readonly memory?: number;
  /** Values needed before anything can be unusual. */
  readonly least?: number;
}

/** How unusual a value is against those before it. */
export interface Tail {
  /** −log10 of P(as large as this), given the values pushed so far; 0 while too few are known. */
  surprise(value: number): number;
  push(value: number): void;
  readonly count: number;
}

/** Share of the values above the threshold whose excesses the Pareto tail is fitted to. */
const TAIL_SHARE = 0.06;
/** Excesses that the prior counts for: shape 0.15, a tail somewhat heavier than exponential. */
const PRIOR = { weight: 12, shape: 0.15 };

/**
 * Values with P below 10^−EXTREME are learned from one in so many rows: an episode is one event.
 */
const EXTREME = 2.5;
const EXTREME_EVERY = 20;

/**
 * The upper tail of a stream: the empirical distribution up to its 94 % quantile, a generalised
 * Pareto distribution above (J. Pickands 1975; as a streaming detector: A. Siffer et al., SPOT, KDD
 * 2017). Fitted by probability-weighted moments (Hosking and Wallis 1987), drawn towards a prior
 * shape while excesses are few. Values far beyond the tail are remembered as just extreme, and a
 * row of them now and then only, or the first oddity would blind it to the second.
 */
export function createTail({ memory = 2000, least = 40 }: TailOptions = {}): Tail {
  const ring = new Ring(memory);
  let count = 0;
  let refit_at = least;
  let fit: Fit | null = null;
  let spared = EXTREME_EVERY;
  const surprise = (value: number): number => (fit ? fit.surprise(value) : 0);
  return {
    get count() {
      return count;
    },
    surprise,
    push(value) {
      spared += 1;
      if (fit && fit.surprise(value) > EXTREME) {
        if (spared < EXTREME_EVERY) return;
        spared = 0;
      }
      ring.push(fit ? Math.min(value, fit.bound) : value);
      count += 1;
      if (count < refit_at) return;
      fit = fitTail(ring.toArray());
      refit_at = count + Math.max(10, Math.min(memory / 10, Math.floor(count / 10)));
    },
  };
}

interface Fit {
  surprise(value: number): number;
  /** Where P is 0.1 / n. */
  readonly bound: number;
}

function fitTail(values: Float64Array): Fit {
  const sorted = sortedCopy(values);
  const size = sorted.length;
  const threshold = quantileSorted(sorted, 1 - TAIL_SHARE);
  const spread = Math.max(
    threshold - quantileSorted(sorted, 0.5),
    1e-3 * (Math.abs(threshold) + 1e-9),
    1e-12,
  );
  const excesses = sorted.filter((value) => value > threshold).map((value) => value - threshold);
  const { shape, scale } = fitPareto(excesses, spread / 2);
  const share = Math.max(excesses.length, 1) / (size + 1);
  const beyond = (value: number): number =>
    share * (1 + (shape * (value - threshold)) / scale) ** (-1 / shape);
  const p_bound = 0.1 / (size + 1);
  return {
    bound: threshold + (scale / shape) * ((p_bound / share) ** -shape - 1),
    surprise(value) {
      if (value > threshold) return -Math.log10(Math.max(1e-300, beyond(value)));
      return -Math.log10(1 - rankBelow(sorted, value) / (size + 1));
    },
  };
}

function fitPareto(excesses: Float64Array, fallback: number): { shape: number; scale: number } {
  const size = excesses.length;
  if (size < 3) return { shape: PRIOR.shape, scale: fallback };
  const b0 = mean(excesses);
  let b1 = 0;
  for (let index = 0; index < size; index += 1) {
    b1 += (at(excesses, index) * (size - index - 0.65)) / size;
  }
  b1 /= size;
  const raw = 2 - b0 / Math.max(1e-12, b0 - 2 * b1);
  const weight = size / (size + PRIOR.weight);
  const shape = clamp(weight * clamp(raw, -0.5, 0.7) + (1 - weight) * PRIOR.shape, 0.05, 0.6);
  const drawn = Math.max(b0 * (1 - shape), 1e-12);
  return { shape, scale: weight * drawn + (1 - weight) * Math.max(drawn, fallback) };
}

function rankBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(sorted, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
