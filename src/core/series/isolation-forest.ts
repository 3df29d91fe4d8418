import {
  createAlarmGate,
  QUIET,
  type SeriesDetector,
  type SeriesOptions,
  type Step,
  scoreOf,
} from './detector.ts';
import { createForest } from './half-space-trees.ts';
import { clamp, madSigma, median } from './numbers.ts';
import { createRandom } from './random.ts';
import { Ring } from './ring.ts';
import { createTail } from './tail.ts';

/** Rows that scale a row's features, and rows between their refits. */
const SCALE_ROWS = 500;
const SCALE_EVERY = 50;
const FIRST_SCALE = 50;
const WINDOW = 250;
/** −log10 p at which it alarms. */
const SURPRISE = 3.5;

interface Scale {
  readonly level: number;
  readonly sigma: number;
  readonly step_sigma: number;
}

/**
 * Isolation of the last rows among those before them: half-space trees over (level, step, second
 * step, spread of the last eight), each scaled by its median and MAD. It sees combinations that are
 * rare, not only values that are large. Seeded.
 */
export function createIsolationForest({ seed = 1 }: SeriesOptions = {}): SeriesDetector {
  const random = createRandom(seed);
  const forest = createForest(random, { dimensions: 4, window: WINDOW });
  const rows = new Ring(SCALE_ROWS);
  const tail = createTail();
  const gate = createAlarmGate(10);
  let seen = 0;
  let scale: Scale | null = null;
  const judge = (point: Float64Array): Step => {
    const rarity = forest.ready ? -Math.log2(forest.mass(point) + 2 ** -8) : 0;
    const surprise = tail.surprise(rarity);
    if (forest.ready) tail.push(rarity);
    forest.push(point);
    const score = scoreOf(surprise, SURPRISE);
    return { score, alarm: gate.pass(score) };
  };
  return {
    push(value) {
      if (value === null || !Number.isFinite(value)) return QUIET;
      rows.push(value);
      seen += 1;
      if (scale === null && seen < FIRST_SCALE) return QUIET;
      const step = scale ? judge(featuresOf(rows, scale)) : QUIET;
      if (scale === null || seen % SCALE_EVERY === 0) scale = scaleOf(rows.toArray());
      return step;
    },
  };
}

function scaleOf(rows: Float64Array): Scale {
  const level = median(rows);
  const steps = rows.subarray(1).map((value, index) => value - (rows[index] as number));
  const least = 1e-9 * (1 + Math.abs(level));
  const step_sigma = Math.max(madSigma(steps, 0), least);
  return { level, sigma: Math.max(madSigma(rows, level), step_sigma / 2, least), step_sigma };
}

function featuresOf(rows: Ring, { level, sigma, step_sigma }: Scale): Float64Array {
  const now = rows.back(0);
  const step = now - rows.back(1);
  const before = rows.back(1) - rows.back(2);
  const last = rows.toArray(8);
  let [low, high] = [now, now];
  for (const value of last) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return Float64Array.of(
    unit((now - level) / sigma),
    unit(step / step_sigma),
    unit((step - before) / (1.7 * step_sigma)),
    clamp((high - low) / (12 * step_sigma), 0, 1),
  );
}

/** Ten σ to both sides fill [0, 1]. */
function unit(z: number): number {
  return clamp(0.5 + z / 20, 0, 1);
}
