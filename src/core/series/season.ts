import { lagProducts } from './fourier.ts';
import { at, clamp, madSigma, mean, median } from './numbers.ts';

export interface Season {
  /** Rows. */
  readonly period: number;
  /** Share of the detrended variance that the season explains, corrected for its parameters. */
  readonly strength: number;
}

/** Below this share a season is taken for noise. */
const STRENGTH_MIN = 0.3;
const CYCLES_MIN = 3;
/** The fewer cycles, the more it must explain: what wanders repeats itself once or twice. */
const STRENGTH_FEW = 0.5;

/**
 * The season of a series, from its own autocorrelation: lags at which the series, or its
 * differences, correlate in a peak are candidates, with those that the caller proposes; the one
 * wins that explains most, the shortest among equals. Null if none is strong.
 */
export function findSeason(
  values: ArrayLike<number>,
  proposed: readonly number[] = [],
  period_max = 2000,
): Season | null {
  const longest = Math.min(period_max, Math.floor(values.length / CYCLES_MIN));
  if (longest < 3) return null;
  const level = winsorised(detrended(values));
  const steps = winsorised(differences(values));
  const found = [
    ...peaks(autocorrelation(level, longest)),
    ...peaks(autocorrelation(steps, longest)),
  ]
    .flatMap((lag) => [lag - 1, lag, lag + 1, Math.round(lag / 2), Math.round(lag / 3)])
    .filter((lag) => lag <= longest);
  const twice = proposed.filter((lag) => 2 * lag <= values.length && lag <= period_max);
  const lags = new Set([...found, ...twice].filter((lag) => lag >= 2));
  let best: Season | null = null;
  for (const period of [...lags].sort((left, right) => left - right)) {
    const strength = strengthIn(level, period);
    if (strength < STRENGTH_MIN + STRENGTH_FEW / (values.length / period - 1)) continue;
    if (best === null || strength > best.strength + 0.05) best = { period, strength };
  }
  return best;
}

/**
 * 1 − Var(rest) / Var(detrended), after a centred moving mean of one period is taken off and the
 * parameters of the phases are paid for.
 */
export function seasonStrength(values: ArrayLike<number>, period: number): number {
  return strengthIn(winsorised(detrended(values)), period);
}

/** Of values whose outliers are drawn in already. */
function strengthIn(values: Float64Array, period: number): number {
  const flat = withoutMovingMean(values, period);
  const cycles = flat.length / period;
  if (cycles < CYCLES_MIN - 2) return 0;
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  let total = 0;
  for (let index = 0; index < flat.length; index += 1) {
    const value = at(flat, index);
    sums[index % period] = at(sums, index % period) + value;
    counts[index % period] = at(counts, index % period) + 1;
    total += value * value;
  }
  if (total <= 0) return 0;
  let explained = 0;
  for (let phase = 0; phase < period; phase += 1) {
    explained += (at(sums, phase) * at(sums, phase)) / Math.max(1, at(counts, phase));
  }
  // Each row against the mean of the other cycles at its phase: what its own cannot tell of it.
  const others = cycles > 1 ? (cycles / (cycles - 1)) ** 2 : Number.POSITIVE_INFINITY;
  return clamp(1 - ((total - explained) * others) / total, 0, 1);
}

/** Correlation of the values with themselves at lags 0 … lag_max. */
export function autocorrelation(values: ArrayLike<number>, lag_max: number): Float64Array {
  const centre = mean(values);
  const size = values.length;
  const centred = Float64Array.from(values, (value) => value - centre);
  const products = lagProducts(centred, lag_max);
  const variance = at(products, 0);
  if (variance <= 0) return new Float64Array(lag_max + 1);
  // Scaled to the overlap, so that long seasons are not put at a disadvantage.
  return products.map((product, lag) => (product / variance) * (size / (size - lag)));
}

/** Lags where the correlation peaks: high, and clearly above the trough before them. */
function peaks(correlation: Float64Array): number[] {
  const found: { readonly lag: number; readonly height: number }[] = [];
  let trough = 1;
  for (let lag = 2; lag < correlation.length - 1; lag += 1) {
    const here = at(correlation, lag);
    trough = Math.min(trough, at(correlation, lag - 1));
    const isPeak = here >= at(correlation, lag - 1) && here >= at(correlation, lag + 1);
    if (isPeak && here > 0.1 && here - trough > 0.15) found.push({ lag, height: here });
  }
  return found
    .sort((left, right) => right.height - left.height)
    .slice(0, 8)
    .map(({ lag }) => lag);
}

export function differences(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(
    { length: Math.max(0, values.length - 1) },
    (_, index) => at(values, index + 1) - at(values, index),
  );
}

/** The rest after a straight line by least squares. */
function detrended(values: ArrayLike<number>): Float64Array {
  const size = values.length;
  const centre = (size - 1) / 2;
  const level = mean(values);
  let [product, square] = [0, 0];
  for (let index = 0; index < size; index += 1) {
    product += (index - centre) * (at(values, index) - level);
    square += (index - centre) ** 2;
  }
  const slope = square > 0 ? product / square : 0;
  return Float64Array.from(values, (value, index) => value - level - slope * (index - centre));
}

/** Values beyond 4 robust σ are drawn in: one outlier must not hide or make a season. */
function winsorised(values: Float64Array): Float64Array {
  const centre = median(values);
  const sigma = madSigma(values, centre);
  if (sigma <= 0) return values.map((value) => value - centre);
  return values.map((value) => clamp(value - centre, -4 * sigma, 4 * sigma));
}

/** Less its centred moving mean over one period; the half periods at both ends are left out. */
function withoutMovingMean(values: ArrayLike<number>, period: number): Float64Array {
  const half = Math.floor(period / 2);
  const width = 2 * half + 1;
  const size = values.length;
  if (size <= width) return new Float64Array(0);
  let sum = 0;
  for (let index = 0; index < width; index += 1) sum += at(values, index);
  const result = new Float64Array(size - width + 1);
  for (let index = half; index < size - half; index += 1) {
    result[index - half] = at(values, index) - sum / width;
    sum += (index + half + 1 < size ? at(values, index + half + 1) : 0) - at(values, index - half);
  }
  return result;
}
