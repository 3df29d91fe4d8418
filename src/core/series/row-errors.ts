import { createArFilter } from './ar-filter.ts';
import type { SeriesOptions } from './detector.ts';
import { createForecaster } from './forecaster.ts';

/** What a row is against what was expected of it. The object is written over by the next row. */
export interface RowError {
  /** Error of the forecast in σ; null while nothing is known. */
  z: number | null;
  /** The value less its season. */
  adjusted: number;
  sigma: number;
  /** All rows less their season, when it was found anew with this row. */
  renewed: Float64Array | null;
}

export interface RowErrors {
  skip(): void;
  push(value: number): Readonly<RowError>;
}

/** The robust σ is not let under this share of the plain mean error of about so many rows. */
const PLAIN_SHARE = 0.7;
const PLAIN_ROWS = 500;

/**
 * Two forecasts, of season and level and of the last rows, mixed by how well each did of late: the
 * weight of one is the other's mean size of errors to the fourth power.
 */
export function createRowErrors(seasons: SeriesOptions['seasons']): RowErrors {
  const forecaster = createForecaster({ seasons });
  const filter = createArFilter();
  let [seasonal_size, near_size, scale, plain] = [0, 0, 0, 0];
  let begun = false;
  const grain = createGrain();
  const row: RowError = { z: null, adjusted: 0, sigma: 1, renewed: null };
  return {
    skip: () => forecaster.push(null),
    push(value) {
      const seasonal = forecaster.forecast();
      const near = filter.forecast();
      const season = forecaster.seasonNow();
      forecaster.push(value);
      filter.push(value);
      row.renewed = null;
      row.adjusted = value;
      row.z = null;
      if (!seasonal || near === null) return row;
      if (!begun) [seasonal_size, near_size] = [seasonal.sigma, seasonal.sigma];
      const share = near_size ** 4 / (seasonal_size ** 4 + near_size ** 4 || 1);
      const error = value - share * seasonal.mean - (1 - share) * near;
      seasonal_size = follow(seasonal_size, Math.abs(value - seasonal.mean));
      near_size = follow(near_size, Math.abs(value - near));
      const sigma = scale > 0 ? scale : seasonal.sigma;
      scale = follow(sigma, 1.25 * Math.abs(error));
      if (!begun) plain = sigma;
      begun = true;
      const least = Math.max(0.5 * grain(value), 1e-9 * (1 + Math.abs(value)));
      const floor = Math.max(PLAIN_SHARE * plain, least);
      plain += (Math.min(Math.abs(error), 50 * sigma) - plain) / PLAIN_ROWS;
      row.sigma = Math.max(sigma, floor);
      row.z = error / row.sigma;
      row.adjusted = value - season;
      row.renewed = forecaster.renewed();
      return row;
    },
  };
}

/**
 * The smallest step that a series makes, 0 until it made one: of counts, or a level that only ever
 * moves by whole notches, a step of one is nothing however rare it is. Takes each value.
 */
export function createGrain(): (value: number) => number {
  let last = Number.NaN;
  let grain = Number.POSITIVE_INFINITY;
  return (value) => {
    const step = Math.abs(value - last);
    const before = grain;
    last = value;
    if (step > 0) grain = Math.min(step, grain * GRAIN_FORGETS);
    // This row's own step is no excuse for it.
    return Number.isFinite(before) ? before : 0;
  };
}

/** What the grain grows by with each step, so that one tiny step does not last for ever. */
const GRAIN_FORGETS = 1.002;

/** A slow mean of sizes that one outlier moves by 5 % at most. */
function follow(size: number, next: number): number {
  return size + 0.01 * (Math.min(next, 5 * size + 1e-12) - size);
}
