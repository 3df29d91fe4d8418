import type { SeriesOptions } from './detector.ts';
import { createEts, type Ets, type EtsGains, fitGains } from './ets.ts';
import { at, madSigma, mean, median } from './numbers.ts';
import { Ring } from './ring.ts';
import { differences, findSeason, type Season, seasonStrength } from './season.ts';
import { mstl } from './stl.ts';

/** What is expected of the next row. */
export interface Forecast {
  readonly mean: number;
  readonly sigma: number;
}

/** A one-step forecaster that learns season, gains and scale from the rows it has seen. */
export interface Forecaster {
  /** Null until enough rows are known. */
  forecast(): Forecast | null;
  push(value: number | null): void;
  season(): Season | null;
  /** What the season adds to the next row; 0 without one. */
  seasonNow(): number;
  /** The rows so far less their season, if the last push found another season; else null. */
  renewed(): Float64Array | null;
}

export interface ForecasterOptions {
  readonly seasons?: SeriesOptions['seasons'];
  /** Rows remembered for fits. */
  readonly memory?: number;
}

const FIRST_FIT = 30;
/** Rows between fits at most. */
const FIT_ROWS_MAX = 12_000;
const CYCLES_KEPT = 8;

/**
 * MSTL on the rows seen so far gives the start (level, slope, season, scale), robust ETS carries it
 * forward row by row; it is fitted again when the rows have grown by a quarter, at most every
 * FIT_ROWS_MAX rows. Nothing later than a row has a part in its forecast.
 */
export function createForecaster(options: ForecasterOptions = {}): Forecaster {
  const memory = options.memory ?? 6000;
  const rows = new Ring(memory);
  let model: Ets | null = null;
  let season: Season | null = null;
  let seen = 0;
  let renewed: Float64Array | null = null;
  let fit_at = FIRST_FIT;
  return {
    season: () => season,
    seasonNow: () => model?.season() ?? 0,
    renewed: () => renewed,
    forecast: () => (model ? { mean: model.forecast(), sigma: model.sigma() } : null),
    push(value) {
      seen += 1;
      renewed = null;
      // A row without a value keeps its place in the season with what was expected of it.
      rows.push(value ?? model?.forecast() ?? rows.back(0));
      model?.push(value);
      if (seen < fit_at) return;
      const known = rows.toArray().filter(Number.isFinite);
      if (known.length >= FIRST_FIT) {
        const before = season?.period;
        season = kept(
          known,
          findSeason(known, proposedBy(options), Math.floor(memory / 2)),
          season,
        );
        const fitted = fitModel(known, season);
        model = fitted.model;
        if (before !== season?.period) renewed = fitted.adjusted;
      }
      fit_at = seen + Math.max(15, Math.min(Math.floor(seen / 4), FIT_ROWS_MAX));
    },
  };
}

const proposedBy = ({ seasons = [] }: ForecasterOptions): readonly number[] =>
  typeof seasons === 'function' ? seasons() : seasons;

/** A season is given up only for one that is clearly stronger. */
function kept(rows: Float64Array, found: Season | null, before: Season | null): Season | null {
  if (before === null) return found;
  const strength = seasonStrength(rows, before.period);
  if (strength < 0.25 || (found && found.strength > strength + 0.07)) return found;
  return { period: before.period, strength };
}

interface Fitted {
  readonly model: Ets;
  readonly adjusted: Float64Array;
}

function fitModel(known: Float64Array, season: Season | null): Fitted {
  const period = season?.period ?? 0;
  const kept = known.subarray(Math.max(0, known.length - Math.max(600, CYCLES_KEPT * period)));
  const size = kept.length;
  if (season === null) {
    const head = kept.subarray(0, 15);
    const sigma = scaleOf(differences(kept), kept);
    const start = { level: median(head), slope: 0, seasonal: [], sigma };
    return { model: replay(kept, start, fitGains(kept, start)), adjusted: kept };
  }
  const { trend, seasonal, remainder } = mstl(kept, [period]);
  const pattern = seasonal[0] as Float64Array;
  const sigma = scaleOf(remainder, kept);
  const start = {
    level: at(trend, 0),
    slope: 0,
    seasonal: pattern.subarray(0, period),
    sigma,
  };
  const gains = fitGains(kept, start);
  const end = {
    level: mean(trend.subarray(size - Math.min(size, 3))),
    slope: 0,
    seasonal: Float64Array.from({ length: period }, (_, i) => at(pattern, size - period + i)),
    sigma,
  };
  // A fit's own rows lie closer to its season than the next ones will, by its parameters' share.
  const cycles = size / period;
  const wider = Math.sqrt((cycles + 1) / Math.max(1, cycles - 1));
  const adjusted = trend.map((level, index) => level + wider * at(remainder, index));
  return { model: warmed(kept, end, gains, period), adjusted };
}

/** The model after all rows, from the start. */
function replay(rows: Float64Array, start: Parameters<typeof createEts>[0], gains: EtsGains): Ets {
  const model = createEts(start, gains);
  for (const row of rows) model.push(row);
  return model;
}

/** The model after the last period of rows, so that its level and σ are one-step ones. */
function warmed(
  rows: Float64Array,
  end: Parameters<typeof createEts>[0],
  gains: EtsGains,
  period: number,
): Ets {
  return replay(rows.subarray(rows.length - period), end, gains);
}

/** A robust scale that is never zero. */
function scaleOf(errors: Float64Array, rows: Float64Array): number {
  const robust = madSigma(errors, median(errors));
  if (robust > 0) return robust;
  const plain = Math.sqrt(mean(errors.map((error) => error * error)));
  return plain > 0 ? plain : 1e-6 * (1 + Math.abs(median(rows)));
}
