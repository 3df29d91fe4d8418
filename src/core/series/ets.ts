import { at, clamp } from './numbers.ts';

/** Smoothing of level, slope and season in (0, 1), and the slope's damping. */
export interface EtsGains {
  readonly level: number;
  readonly slope: number;
  readonly season: number;
  readonly damping: number;
}

export interface EtsStart {
  readonly level: number;
  readonly slope: number;
  /** By phase; the first entry is the phase of the next row. Empty: no season. */
  readonly seasonal: ArrayLike<number>;
  /** σ of one-step errors. */
  readonly sigma: number;
}

export interface Ets {
  /** One step ahead, before its row is seen. */
  forecast(): number;
  sigma(): number;
  /** What the season adds to the next row. */
  season(): number;
  /** Takes the row (null: none) and returns its error, null if there was no row. */
  push(value: number | null): number | null;
}

/** An error beyond this many σ moves the state as if it were just as many. */
const HUBER = 2.5;
/** Share of the newest error in σ². */
const SIGMA_GAIN = 0.02;

/**
 * ETS(A,Ad,A) in its error form (R. J. Hyndman et al., "Forecasting with Exponential Smoothing",
 * 2008), made robust as by S. Gelper, R. Fried and C. Croux (J. Forecasting 2010): an outlier moves
 * level, slope, season and σ no more than a large ordinary error does. A lasting shift is followed
 * within a few rows all the same.
 */
export function createEts(start: EtsStart, gains: EtsGains): Ets {
  const seasonal = Float64Array.from(start.seasonal);
  let { level, slope } = start;
  let variance = start.sigma * start.sigma;
  const least = Math.max(variance * 1e-4, Number.MIN_VALUE);
  let phase = 0;
  const season = (): number => (seasonal.length > 0 ? at(seasonal, phase) : 0);
  const forecast = (): number => level + gains.damping * slope + season();
  return {
    forecast,
    season,
    sigma: () => Math.sqrt(variance),
    push(value) {
      const error = value === null ? null : value - forecast();
      level += gains.damping * slope;
      slope *= gains.damping;
      if (error !== null) {
        const sigma = Math.sqrt(variance);
        const drawn = clamp(error, -HUBER * sigma, HUBER * sigma);
        level += gains.level * drawn;
        slope += gains.level * gains.slope * drawn;
        if (seasonal.length > 0) {
          seasonal[phase] = season() + gains.season * (1 - gains.level) * drawn;
        }
        // E[min(z², 2.5²)] is about 0.95 of a standard normal's variance.
        variance += SIGMA_GAIN * (1.05 * drawn * drawn - variance);
        variance = Math.max(variance, least);
      }
      phase = seasonal.length > 0 ? (phase + 1) % seasonal.length : 0;
      return error;
    },
  };
}

/** What a fit tries: from a level that hardly moves to one that follows every row. */
export const GAINS_TRIED: readonly EtsGains[] = [0.02, 0.08, 0.2, 0.4, 0.7, 0.95].flatMap(
  (level) => [
    { level, slope: 0, season: 0.1, damping: 0 },
    { level, slope: 0.1, season: 0.1, damping: 0.95 },
  ],
);

/**
 * The gains whose one-step errors over `values` are smallest by a loss that outliers cannot own.
 */
export function fitGains(values: ArrayLike<number>, start: EtsStart): EtsGains {
  let best = GAINS_TRIED[0] as EtsGains;
  let least = Number.POSITIVE_INFINITY;
  for (const gains of GAINS_TRIED) {
    const model = createEts(start, gains);
    let loss = 0;
    for (let index = 0; index < values.length; index += 1) {
      const error = model.push(at(values, index)) ?? 0;
      loss += Math.abs(error);
    }
    if (loss < least * 0.995) {
      least = loss;
      best = gains;
    }
  }
  return best;
}
