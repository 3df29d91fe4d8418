import { createAlarmGate, QUIET, type SeriesDetector, scoreOf } from './detector.ts';
import { madSigma, median } from './numbers.ts';
import { Ring } from './ring.ts';

/** Slack and threshold in standard deviations: ARL0 465.4, delay 10.38 at a shift of 1. */
export const CUSUM_DEFAULTS = { k: 0.5, h: 5 };

export interface CusumState {
  readonly up: number;
  readonly down: number;
}
export const CUSUM_START: CusumState = { up: 0, down: 0 };

/**
 * One step of Page's two-sided CUSUM (E. S. Page, Biometrika 1954) on a standardised value: each
 * side adds what exceeds the slack `k`. It has found a shift when either side exceeds `h`.
 */
export function cusumStep(state: CusumState, z: number, k = CUSUM_DEFAULTS.k): CusumState {
  return { up: Math.max(0, state.up + z - k), down: Math.max(0, state.down - z - k) };
}

/** Rows that the reference is learned from, and rows it may be learned from again at most. */
const LEARN = 60;
const LEARN_MAX = 400;

export interface CusumOptions {
  readonly k?: number;
  readonly h?: number;
}

/**
 * CUSUM over a raw series: the reference is the median and the MAD of the rows since the last
 * alarm, first of 60, then of up to 400, so that it is right to a tenth of σ before it is frozen.
 * After an alarm it learns the new level. Serial correlation is the caller's to remove.
 */
export function createCusum({ k, h = CUSUM_DEFAULTS.h }: CusumOptions = {}): SeriesDetector {
  const rows = new Ring(LEARN_MAX);
  const gate = createAlarmGate(LEARN, 0);
  let state = CUSUM_START;
  let [centre, sigma] = [0, 0];
  return {
    push(value) {
      if (value === null || !Number.isFinite(value)) return QUIET;
      const known = rows.length >= LEARN;
      if (known && sigma > 0) state = cusumStep(state, (value - centre) / sigma, k);
      const reached = Math.max(state.up, state.down);
      const score = known ? scoreOf(reached, h) : 0;
      const alarm = gate.pass(score);
      if (alarm) {
        rows.clear();
        state = CUSUM_START;
      }
      if (rows.length < LEARN_MAX) {
        rows.push(value);
        if (rows.length >= LEARN && (rows.length - LEARN) % 20 === 0) {
          const seen = rows.toArray();
          centre = median(seen);
          sigma = madSigma(seen, centre);
        }
      }
      return { score, alarm };
    },
  };
}
