import {
  createAlarmGate,
  QUIET,
  type SeriesDetector,
  type SeriesOptions,
  scoreOf,
} from './detector.ts';
import { createForecaster } from './forecaster.ts';
import { createTail } from './tail.ts';

const PROBATION = 60;
/** −log10 p at which it alarms. */
const SURPRISE = 3.7;

/**
 * How far a row is from its seasonal one-step forecast: the error over its σ, judged against the
 * tail of all errors before it.
 */
export function createSeasonalResidual({ seasons }: SeriesOptions = {}): SeriesDetector {
  const forecaster = createForecaster({ seasons });
  const tail = createTail();
  const gate = createAlarmGate(10);
  let seen = 0;
  return {
    push(value) {
      seen += 1;
      if (value === null || !Number.isFinite(value)) {
        forecaster.push(null);
        return QUIET;
      }
      const expected = forecaster.forecast();
      forecaster.push(value);
      if (!expected) return QUIET;
      const z = Math.abs(value - expected.mean) / expected.sigma;
      const surprise = tail.surprise(z);
      tail.push(z);
      if (seen <= PROBATION) return QUIET;
      const score =
        z < 3 ? Math.min(0.2, scoreOf(surprise, SURPRISE)) : scoreOf(surprise, SURPRISE);
      return { score, alarm: gate.pass(score) };
    },
  };
}

/** One-step errors in σ for a whole series: null where there is no row or no forecast yet. */
export function seasonalResiduals(
  values: readonly (number | null)[],
  options: SeriesOptions = {},
): readonly (number | null)[] {
  const forecaster = createForecaster({ seasons: options.seasons });
  return values.map((value) => {
    const expected = forecaster.forecast();
    forecaster.push(value);
    return value === null || !expected ? null : (value - expected.mean) / expected.sigma;
  });
}
