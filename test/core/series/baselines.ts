import {
  createAlarmGate,
  type SeriesDetector,
  scoreOf,
} from '../../../src/core/series/detector.ts';
import { normalTail } from '../../../src/core/series/normal.ts';
import { madSigma, median } from '../../../src/core/series/numbers.ts';
import { Ring } from '../../../src/core/series/ring.ts';

/** What anybody would write first: so many σ off the mean of the last rows. */
export function zScore(rows = 500, limit = 4): SeriesDetector {
  const past = new Ring(rows);
  const gate = createAlarmGate(30);
  let [sum, squares] = [0, 0];
  return {
    push(value) {
      if (value === null) return { score: 0, alarm: false };
      const count = Math.max(1, past.length);
      const sigma = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) || 1e-9;
      const score = past.length < 60 ? 0 : scoreOf(Math.abs(value - sum / count) / sigma, limit);
      const gone = past.length === rows ? past.back(rows - 1) : 0;
      past.push(value);
      sum += value - gone;
      squares += value * value - gone * gone;
      return { score, alarm: gate.pass(score) };
    },
  };
}

/**
 * The likelihood of the last errors' mean among those before (S. Ahmad et al., Neurocomputing
 * 2017), with the last row as the forecast: the benchmark's own idea without its network.
 */
export function tailLikelihood(rows = 2000): SeriesDetector {
  const errors: number[] = [];
  const gate = createAlarmGate(30);
  let last: number | null = null;
  let [centre, sigma, seen] = [0, 0, 0];
  return {
    push(value) {
      if (value === null) return { score: 0, alarm: false };
      const error = last === null ? 0 : Math.abs(value - last);
      last = value;
      seen += 1;
      errors.push(error);
      if (errors.length > rows) errors.shift();
      if (seen >= 60 && seen % 50 === 10) {
        centre = median(errors);
        sigma = Math.max(madSigma(errors, centre), 1e-9);
      }
      if (sigma === 0) return { score: 0, alarm: false };
      const recent = errors.slice(-10).reduce((sum, one) => sum + one, 0) / 10;
      const surprise = -Math.log10(Math.max(1e-300, normalTail((recent - centre) / sigma)));
      const score = scoreOf(surprise, 5);
      return { score, alarm: gate.pass(score) };
    },
  };
}
