import { type ArFilter, createArFilter } from './ar-filter.ts';
import {
  createAlarmGate,
  QUIET,
  type SeriesDetector,
  type SeriesOptions,
  scoreOf,
} from './detector.ts';
import { createWitness } from './evidence.ts';
import { createForecaster } from './forecaster.ts';
import { createHeritage } from './heritage.ts';
import { clamp, median } from './numbers.ts';
import { createTail } from './tail.ts';

/** Rows before anything can alarm, and rows over which caution then fades. */
const PROBATION = 60;
const CAUTION = 500;
const CAUTION_MOST = 0.5;
/** Rows that a lasting change is averaged over. */
const HORIZONS = [6, 24, 96];
/** Rows that the slow level follows. */
const LEVEL_ROWS = 330;
/** log10 of the evidence, and the surprise of it among its own past, at which it alarms. */
const EVIDENCE = 1.6;
const SURPRISE = 2.7;
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
 * day is not news. After an alarm the slow level is learned again.
 */
export function createEnsemble({ seasons }: SeriesOptions = {}): SeriesDetector {
  const errors = createErrors(seasons);
  const judgeError = createHeritage(() => {
    const judge = createErrorJudge();
    return { judge, learn: judge };
  });
  const judgeTotal = createHeritage(() => {
    const past = createTail({ memory: 4000, least: PROBATION });
    return { judge: (one) => past.surprise(one), learn: (one) => past.push(one) };
  });
  let judgeLevel = createLevelJudge();
  const gate = createAlarmGate(30, 5);
  let [seen, renewed_at] = [0, PROBATION];
  return {
    push(value) {
      seen += 1;
      if (value === null || !Number.isFinite(value)) {
        errors.skip();
        return QUIET;
      }
      const { z, adjusted, sigma, renewed } = errors.push(value);
      if (renewed) {
        judgeLevel = createLevelJudge();
        for (const row of renewed.subarray(0, -1)) judgeLevel.push(row, sigma);
        judgeError.renew();
        judgeTotal.renew();
        renewed_at = seen;
      }
      if (z === null) return QUIET;
      const total = Math.log10((judgeError.push(z) + judgeLevel.push(adjusted, sigma)) / WEIGHTS);
      const rarity = judgeTotal.push(total);
      if (seen <= PROBATION) return QUIET;
      const caution = 1 + Math.max(0, 1 - (seen - renewed_at) / CAUTION) * CAUTION_MOST;
      const score = scoreOf(Math.min(total / EVIDENCE, rarity / SURPRISE) / caution, 1);
      const alarm = gate.pass(score);
      if (alarm) judgeLevel.hurry();
      return { score, alarm };
    },
  };
}

/** Evidence, summed, of one error and of the size of the last errors. */
function createErrorJudge(): (z: number) => number {
  const spike = createWitness(40);
  const spreads = [8, 40].map((rows) => ({
    ratio: createRatio(rows),
    louder: createWitness(50 + 2 * rows),
    quieter: createWitness(50 + 2 * rows),
  }));
  return (z) =>
    spreads.reduce(
      (sum, { ratio, louder, quieter }) => {
        const size = ratio.push(Math.min(6, Math.abs(z)));
        return sum + louder.judge(size) + quieter.judge(-size);
      },
      2 * spike.judge(Math.abs(z)),
    );
}

/** Evidence, summed, of the deviation from the slow level, now and over each horizon. */
function createLevelJudge() {
  const slow = createSlowLevel();
  const now = createWitness(40);
  const lasting = HORIZONS.map((rows) => createWitness(40 + 3 * rows));
  return {
    hurry: () => slow.hurry(),
    push(value: number, sigma: number): number {
      const off = slow.push(value, sigma);
      return lasting.reduce(
        (sum, witness, index) => sum + witness.judge(Math.abs(off.means[index] ?? 0)),
        now.judge(Math.abs(off.now)),
      );
    },
  };
}

interface RowError {
  /** Error of the forecast in σ; null while nothing is known. */
  readonly z: number | null;
  /** The value less its season. */
  readonly adjusted: number;
  readonly sigma: number;
  /** All rows less their season, when it was found anew with this row. */
  readonly renewed: Float64Array | null;
}

/** The robust σ is not let under this share of the plain mean error of about so many rows. */
const PLAIN_SHARE = 0.7;
const PLAIN_ROWS = 500;

/** Two forecasts mixed by how well each did of late. */
function createErrors(seasons: readonly number[] | undefined) {
  const forecaster = createForecaster({ seasons });
  const filter: ArFilter = createArFilter();
  let sizes: readonly [number, number] | null = null;
  let scale = 0;
  let plain: number | null = null;
  return {
    skip: () => forecaster.push(null),
    push(value: number): RowError {
      const seasonal = forecaster.forecast();
      const near = filter.forecast();
      const season = forecaster.seasonNow();
      forecaster.push(value);
      filter.push(value);
      if (!seasonal || near === null) return { z: null, adjusted: value, sigma: 1, renewed: null };
      const gaps = [Math.abs(value - seasonal.mean), Math.abs(value - near)] as const;
      const before: readonly [number, number] = sizes ?? [seasonal.sigma, seasonal.sigma];
      const share = before[1] ** 4 / (before[0] ** 4 + before[1] ** 4 || 1);
      const error = value - share * seasonal.mean - (1 - share) * near;
      sizes = [follow(before[0], gaps[0]), follow(before[1], gaps[1])];
      const sigma = scale > 0 ? scale : seasonal.sigma;
      scale = follow(sigma, 1.25 * Math.abs(error));
      plain ??= sigma;
      const floor = Math.max(PLAIN_SHARE * plain, 1e-9 * (1 + Math.abs(value)));
      plain += (Math.min(Math.abs(error), 50 * sigma) - plain) / PLAIN_ROWS;
      return {
        z: error / Math.max(sigma, floor),
        adjusted: value - season,
        renewed: forecaster.renewed(),
        sigma: Math.max(sigma, floor),
      };
    },
  };
}

/** A slow mean of sizes that one outlier moves by 5 % at most. */
function follow(size: number, next: number): number {
  return size + 0.01 * (Math.min(next, 5 * size + 1e-12) - size);
}

/** Rows after an alarm that say whether the level has moved for good. */
const RELEARN = 30;

/** The deviation from a slowly moving level, in its own robust scale. */
function createSlowLevel() {
  let level: number | null = null;
  let scale = 0;
  let seen = 0;
  let since: number[] | null = null;
  const means = new Float64Array(HORIZONS.length);
  /** Once the rows since an alarm lie elsewhere, that is the level. */
  const relearn = (value: number, from: number): number => {
    since?.push(value);
    if (since === null || since.length < RELEARN) return from;
    const moved = median(since);
    since = null;
    if (Math.abs(moved - from) < scale) return from;
    means.fill(0);
    return moved;
  };
  return {
    hurry() {
      since ??= [];
    },
    push(value: number, sigma: number) {
      seen += 1;
      if (scale === 0) scale = 2 * sigma;
      level = relearn(value, level ?? value);
      const off = value - level;
      const gain = Math.max(1 / seen, 1 / LEVEL_ROWS);
      level += gain * clamp(off, -3 * scale, 3 * scale);
      scale += gain * (Math.min(1.25 * Math.abs(off), 4 * scale) - scale);
      scale = Math.max(scale, 0.3 * sigma);
      HORIZONS.forEach((rows, index) => {
        means[index] = (means[index] as number) + (off - (means[index] as number)) / rows;
      });
      return { now: off / scale, means: Array.from(means, (mean) => mean / scale) };
    },
  };
}

/** ln of the mean size over the last rows against the mean size over many. */
function createRatio(rows: number) {
  let [short, long] = [1, 1];
  return {
    push(size: number): number {
      short += (size - short) / rows;
      long += (size - long) / (rows * 20);
      return Math.log((short + 0.02) / (long + 0.02));
    },
  };
}
