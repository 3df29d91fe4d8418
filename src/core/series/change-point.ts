import { createBocpd } from './bocpd.ts';
import { createCusum } from './cusum.ts';
import { createAlarmGate, QUIET, type SeriesDetector, type SeriesOptions } from './detector.ts';
import { createForecaster } from './forecaster.ts';

/** Rows for CUSUM's part to be remembered while BOCPD, which is slower, makes up its mind. */
const REMEMBER = 20;

/**
 * A lasting change of level or spread, not an outlier: CUSUM and BOCPD over the series less its
 * season, both of which must agree within 20 rows: the score is the geometric mean of theirs.
 */
export function createChangePoint({ seasons }: SeriesOptions = {}): SeriesDetector {
  const forecaster = createForecaster({ seasons });
  const cusum = createCusum();
  const bocpd = createBocpd();
  const gate = createAlarmGate(REMEMBER);
  let [peak, since] = [0, 0];
  return {
    push(value) {
      if (value === null || !Number.isFinite(value)) {
        forecaster.push(null);
        return QUIET;
      }
      const season = forecaster.seasonNow();
      forecaster.push(value);
      const shift = cusum.push(value - season).score;
      const run = bocpd.push(value - season).score;
      since += 1;
      if (shift >= peak || since > REMEMBER) {
        peak = shift;
        since = 0;
      }
      const score = Math.sqrt(peak * run);
      return { score, alarm: gate.pass(score) };
    },
  };
}
