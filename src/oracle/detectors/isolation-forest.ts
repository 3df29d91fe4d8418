import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import { type Candidate, holding } from '../../core/findings/rates.ts';
import { type Residuals, residualsOf } from '../../core/findings/residuals.ts';
import {
  cellName,
  plannedCells,
  type Scene,
  sceneOf,
  seriesOf,
} from '../../core/findings/scene.ts';
import { type Shift, shiftAt, shiftDraft } from '../../core/findings/shifts.ts';
import type { SegmentObservation, Series } from '../../core/observation.ts';
import { createForest } from '../../core/series/half-space-trees.ts';
import { clamp } from '../../core/series/numbers.ts';
import { createRandom } from '../../core/series/random.ts';
import { createTail } from '../../core/series/tail.ts';
import { pOverLooks } from '../../core/statistics/multiplicity.ts';
import { studentTail, zOfTail } from '../../core/statistics/tails.ts';

const options = z.strictObject({
  seed: z.int().default(1),
  /** Steps a window of the forest: a day. */
  window: z.int().min(8).default(24),
  q: z.number().gt(0).lt(1).default(0.05),
});
type Options = z.infer<typeof options>;

const FEATURES: readonly Series['metric'][] = [
  'error',
  'abort',
  'latency_p50_ms',
  'latency_p95_ms',
  'tokens_mean',
  'cost_mean_usd',
  'calls',
];
const DAY_MS = 24 * 3_600_000;

/**
 * Whether the newest step of a cell is a combination that was hardly ever seen: errors, latency,
 * tokens, cost and calls together. Streaming half-space trees say that it is rare, a chi-square of
 * all deviations that it is more than chance. It opens an investigation and never decides: rare is
 * not yet bad.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'isolation-forest',
  summary: 'Rare combinations of errors, latency, tokens, cost and calls in the newest step.',
  options,
  create: (settings, host) => (observation) => {
    const scene = sceneOf(observation, host);
    const candidates = plannedCells(scene).flatMap((cell): Candidate<Shift>[] => {
      const features = featuresOf(scene, cell);
      if (features.length < 2) return [];
      const shifts = features.flatMap((one) => shiftAt(one, one.z.length - 1) ?? []);
      const [most] = shifts.toSorted((left, right) => Math.abs(right.t) - Math.abs(left.t));
      if (!most) return [];
      const p = togetherTail(shifts);
      const p_week = pOverLooks(p, (7 * DAY_MS) / most.residuals.series.step_ms);
      // Where chance makes the like, it does not matter whether it is rare.
      const zs = features.map(({ z }) => z);
      const rare = (): boolean =>
        scene.memory.together(zs, `rare ${JSON.stringify(settings)}`, () =>
          isRare(cell, features, settings),
        );
      const clears = p_week <= settings.q && rare();
      return [{ p_week, clears, said: { ...most, p } }];
    });
    const findings = holding(candidates, settings.q).map((shift) => {
      const draft = shiftDraft(scene, shift, 'a combination hardly seen before', null);
      return { ...draft, level: 'investigate' as const };
    });
    return { findings, insufficient: [] };
  },
};

function featuresOf(scene: Scene, { segment }: SegmentObservation): readonly Residuals[] {
  return FEATURES.flatMap((metric) => {
    const series = seriesOf(scene, segment, metric);
    return (series && scene.bySteps(series, () => residualsOf(scene, series))) ?? [];
  });
}

const stepsOf = (features: readonly Residuals[]): number =>
  Math.min(...features.map(({ z }) => z.length));

/** Whether the forest has hardly seen the like of the newest step. */
function isRare(
  { segment }: SegmentObservation,
  features: readonly Residuals[],
  settings: Options,
): boolean {
  const steps = stepsOf(features);
  const seed = settings.seed + seedOf(cellName(segment));
  const { window } = settings;
  const forest = createForest(createRandom(seed), { dimensions: features.length, window });
  const tail = createTail();
  let surprise = 0;
  for (let step = 0; step < steps; step += 1) {
    const point = features.map(({ z }) => clamp(0.5 + (z[step] ?? 0) / 20, 0, 1));
    if (forest.ready) {
      const rarity = -Math.log2(forest.mass(point) + 2 ** -8);
      surprise = tail.surprise(rarity);
      tail.push(rarity);
    }
    forest.push(point);
  }
  return surprise >= SURPRISE;
}

/** Another forest for each cell, the same one each time. */
function seedOf(name: string): number {
  let seed = 7;
  for (let index = 0; index < name.length; index += 1) {
    seed = Math.imul(seed, 31) + name.charCodeAt(index);
  }
  return seed;
}

/** −log10 of how often the past has shown a point as rare. */
const SURPRISE = 2;

/**
 * P of as large a sum of squared deviations, each brought from Student's to the normal scale. What
 * rises and falls together is no surprise together: sums of squares of correlated normals are about
 * a scaled chi-square of fewer degrees of freedom (G. E. P. Box, Ann. Math. Stat. 1954).
 */
function togetherTail(shifts: readonly Shift[]): number {
  const squares = shifts.map(({ t, residuals }) => {
    const p = studentTail(Math.abs(t), Math.max(8, residuals.from - HOURS_FITTED));
    return zOfTail(Math.min(0.5, p)) ** 2;
  });
  const sum = squares.reduce((total, one) => total + one, 0);
  const alike = shifts.reduce((total, one) => {
    return total + shifts.reduce((row, other) => row + correlationOf(one, other) ** 2, 0);
  }, 0);
  const count = squares.length;
  return Math.max(1e-16, 1 - chiSquareCdf((sum * count) / alike, count ** 2 / alike));
}
const HOURS_FITTED = 24;

/** Of the steps before the window; 1 with itself. */
function correlationOf({ residuals: one }: Shift, { residuals: other }: Shift): number {
  let [products, squares, others] = [0, 0, 0];
  for (let step = 0; step < Math.min(one.from, other.from); step += 1) {
    const [left, right] = [one.z[step] ?? null, other.z[step] ?? null];
    if (left === null || right === null) continue;
    products += left * right;
    squares += left * left;
    others += right * right;
  }
  return products / Math.max(1e-9, Math.sqrt(squares * others));
}
