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
import { clamp } from './numbers.ts';
import { createTail } from './tail.ts';

/** Rows before anything can alarm, and rows over which caution then fades. */
const PROBATION = 60;
const CAUTION = 240;
/** Rows that a lasting change is averaged over. */
const HORIZONS = [6, 24, 96];
/** log10 of the evidence, and the surprise of it among its own past, at which it alarms. */
const EVIDENCE = 1.6;
const SURPRISE = 3.1;

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
  const slow = createSlowLevel();
  const witnesses = {
    spike: createWitness(40),
    now: createWitness(40),
    means: HORIZONS.map((rows) => createWitness(40 + 3 * rows)),
    louder: [createWitness(60), createWitness(150)],
    quieter: [createWitness(60), createWitness(150)],
  };
  const ratios = [createRatio(8), createRatio(40)];
  const past = createTail({ memory: 4000, least: PROBATION });
  const gate = createAlarmGate(30, 5);
  let seen = 0;
  return {
    push(value) {
      seen += 1;
      if (value === null || !Number.isFinite(value)) {
        errors.skip();
        return QUIET;
      }
      const { z, adjusted, sigma } = errors.push(value);
      if (z === null) return QUIET;
      const { now, means } = slow.push(adjusted, sigma);
      const evidence = [
        2 * witnesses.spike.judge(Math.abs(z)),
        witnesses.now.judge(Math.abs(now)),
        ...means.map((mean, index) => witnesses.means[index]?.judge(Math.abs(mean)) ?? 1),
        ...ratios.flatMap((ratio, index) => {
          const size = ratio.push(Math.min(6, Math.abs(z)));
          return [
            witnesses.louder[index]?.judge(size) ?? 1,
            witnesses.quieter[index]?.judge(-size) ?? 1,
          ];
        }),
      ];
      const total = Math.log10(evidence.reduce((sum, one) => sum + one, 0) / 10);
      const rarity = past.surprise(total);
      past.push(total);
      if (seen <= PROBATION) return QUIET;
      const caution = 1 + Math.max(0, 1 - (seen - PROBATION) / CAUTION) * 0.5;
      const score = scoreOf(Math.min(total / EVIDENCE, rarity / SURPRISE) / caution, 1);
      const alarm = gate.pass(score);
      if (alarm) slow.hurry();
      return { score, alarm };
    },
  };
}

interface RowError {
  /** Error of the forecast in σ; null while nothing is known. */
  readonly z: number | null;
  /** The value less its season. */
  readonly adjusted: number;
  readonly sigma: number;
}

/** Two forecasts mixed by how well each did of late. */
function createErrors(seasons: readonly number[] | undefined) {
  const forecaster = createForecaster({ seasons });
  const filter: ArFilter = createArFilter();
  let sizes: readonly [number, number] | null = null;
  let scale = 0;
  return {
    skip: () => forecaster.push(null),
    push(value: number): RowError {
      const seasonal = forecaster.forecast();
      const near = filter.forecast();
      const season = forecaster.seasonNow();
      forecaster.push(value);
      filter.push(value);
      if (!seasonal || near === null) return { z: null, adjusted: value, sigma: 1 };
      const gaps = [Math.abs(value - seasonal.mean), Math.abs(value - near)] as const;
      const before: readonly [number, number] = sizes ?? [seasonal.sigma, seasonal.sigma];
      const share = before[1] ** 4 / (before[0] ** 4 + before[1] ** 4 || 1);
      const error = value - share * seasonal.mean - (1 - share) * near;
      sizes = [follow(before[0], gaps[0]), follow(before[1], gaps[1])];
      const sigma = scale > 0 ? scale : seasonal.sigma;
      scale = follow(sigma, 1.25 * Math.abs(error));
      const least = 1e-9 * (1 + Math.abs(value));
      return {
        z: error / Math.max(sigma, least),
        adjusted: value - season,
        sigma: Math.max(sigma, least),
      };
    },
  };
}

/** A slow mean of sizes that one outlier moves by 5 % at most. */
function follow(size: number, next: number): number {
  return size + 0.01 * (Math.min(next, 5 * size + 1e-12) - size);
}

/** The deviation from a slowly moving level, in its own robust scale. */
function createSlowLevel() {
  let level: number | null = null;
  let scale = 0;
  let [seen, hurried] = [0, 0];
  const means = new Float64Array(HORIZONS.length);
  return {
    hurry() {
      hurried = 60;
    },
    push(value: number, sigma: number) {
      seen += 1;
      level ??= value;
      if (scale === 0) scale = 2 * sigma;
      hurried = Math.max(0, hurried - 1);
      const off = value - level;
      const gain = Math.max(1 / seen, hurried > 0 && hurried < 50 ? 0.08 : 0.003);
      level += gain * clamp(off, -3 * scale, 3 * scale);
      scale += Math.max(0.003, 1 / seen) * (Math.min(1.25 * Math.abs(off), 4 * scale) - scale);
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
