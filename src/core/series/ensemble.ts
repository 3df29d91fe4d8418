import { createAlarms } from './alarms.ts';
import { QUIET, type SeriesDetector, type SeriesOptions } from './detector.ts';
import { createWitness } from './evidence.ts';
import { createHeritage } from './heritage.ts';
import { createHistogramTail } from './histogram-tail.ts';
import { at } from './numbers.ts';
import { createRowErrors } from './row-errors.ts';
import { createSlowLevel } from './slow-level.ts';

/** Rows before anything can alarm. */
const PROBATION = 60;
/** What is asked on the first day, in times of what is asked later. */
const FIRST_DAY = 1.15;
const DAY_ROWS_MAX = 300;
/** So much more is asked at first, and after a season was found; it fades over so many rows. */
const FIRST_CAUTION = { more: 0.4, rows: 300 };
const RENEWED_CAUTION = { more: 1, rows: 500 };
/** Rows that a lasting change is averaged over. */
const HORIZONS = [6, 24, 96];
/** Rows over which louder and quieter are told. */
const SPREADS = [8, 40];
/** log10 of the evidence, and the surprise of it among its own past, at which it alarms. */
const EVIDENCE = 2.15;
const SURPRISE = 1.5;
/** Weights of the evidence: a spike counts twice. */
const WEIGHTS = 10;

/**
 * The default detector: what an experienced eye looks for in one series, each judged against its
 * own past and put together as evidence.
 *
 * - the error of the best of two forecasts (season and level; the last rows), as a spike;
 * - the deviation from the slow level, season taken off, now and averaged over three horizons;
 * - the size of errors, short against long: louder, quieter, and flat.
 *
 * Each gives a p-value from the tail of its own past; e-values of them are averaged, which is valid
 * however they depend. The sum is judged once more against its own past, so that what is odd every
 * day is not news, and an alarm must be rarer than the series' habits (`createAlarms`). After an
 * alarm the slow level is learned again, and to return to the old one is no second alarm.
 */
export function createEnsemble({ seasons }: SeriesOptions = {}): SeriesDetector {
  const errors = createRowErrors(seasons);
  const judgeError = createHeritage(createErrorJudge);
  const judgeTotal = createHeritage(() => {
    const past = createHistogramTail({ least: PROBATION });
    return (total) => past.take(1 + Math.max(total, -0.9));
  });
  const alarms = createAlarms();
  let level = createLevelJudge();
  let [seen, renewed_at] = [0, Number.NEGATIVE_INFINITY];
  /** Each hour is new on the first day, where the clock says how long one is. */
  const isFirstDay = (): boolean => {
    const [day = 0] = typeof seasons === 'function' ? seasons() : (seasons ?? []);
    return seen <= Math.min(day, DAY_ROWS_MAX);
  };
  const returned = (): boolean => level.returned();
  return {
    push(value) {
      seen += 1;
      if (value === null || !Number.isFinite(value)) {
        errors.skip();
        return QUIET;
      }
      const { z, adjusted, sigma, renewed } = errors.push(value);
      if (renewed) {
        level = createLevelJudge();
        for (const row of renewed.subarray(0, -1)) level.push(row, sigma);
        judgeError.renew();
        judgeTotal.renew();
        renewed_at = seen;
      }
      if (z === null) return QUIET;
      const total = Math.log10((judgeError.push(z) + level.push(adjusted, sigma)) / WEIGHTS);
      const rarity = judgeTotal.push(total);
      if (seen <= PROBATION) return QUIET;
      const caution =
        (isFirstDay() ? FIRST_DAY : 1) +
        Math.max(fading(FIRST_CAUTION, seen), fading(RENEWED_CAUTION, seen - renewed_at));
      const step = alarms.take(Math.min(total / EVIDENCE, rarity / SURPRISE) / caution, returned);
      if (step.alarm) level.hurry();
      return step;
    },
  };
}

function fading({ more, rows }: typeof FIRST_CAUTION, since: number): number {
  return more * Math.max(0, 1 - since / rows);
}

/** Evidence, summed, of one error and of the size of the last errors. */
function createErrorJudge(): (z: number) => number {
  const spike = createWitness(40);
  const spreads = SPREADS.map((rows) => ({
    rows,
    short: 1,
    long: 1,
    louder: createWitness(50 + 2 * rows, rows),
    quieter: createWitness(50 + 2 * rows, rows),
  }));
  return (z) => {
    const size = Math.min(6, Math.abs(z));
    let sum = 2 * spike.judge(Math.abs(z));
    for (const spread of spreads) {
      spread.short += (size - spread.short) / spread.rows;
      spread.long += (size - spread.long) / (spread.rows * 20);
      const ratio = (spread.short + 0.02) / (spread.long + 0.02);
      sum += spread.louder.judge(ratio) + spread.quieter.judge(1 / ratio);
    }
    return sum;
  };
}

/** Evidence, summed, of the deviation from the slow level, now and over each horizon. */
function createLevelJudge() {
  const slow = createSlowLevel(HORIZONS);
  const now = createWitness(40);
  const lasting = HORIZONS.map((rows) => createWitness(40 + 3 * rows, rows));
  return {
    hurry: () => slow.hurry(),
    returned: () => slow.returned(),
    push(value: number, sigma: number): number {
      let sum = now.judge(Math.abs(slow.push(value, sigma)));
      for (let index = 0; index < lasting.length; index += 1) {
        sum += lasting[index]?.judge(Math.abs(at(slow.means, index))) ?? 0;
      }
      return sum;
    },
  };
}
