import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import {
  cellName,
  plannedCells,
  type Scene,
  sceneOf,
  seriesOf,
} from '../../core/findings/scene.ts';
import { type Residuals, residualsOf, shiftAt, shiftDraft } from '../../core/findings/shifts.ts';
import type { SegmentObservation, Series } from '../../core/observation.ts';
import { createForest } from '../../core/series/half-space-trees.ts';
import { clamp } from '../../core/series/numbers.ts';
import { createRandom } from '../../core/series/random.ts';
import { createTail } from '../../core/series/tail.ts';
import { eBenjaminiHochberg } from '../../core/statistics/multiplicity.ts';

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
 * tokens, cost and calls together, among streaming half-space trees. It opens an investigation and
 * never decides: rare is not yet bad.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'isolation-forest',
  summary: 'Rare combinations of errors, latency, tokens, cost and calls in the newest step.',
  options,
  create: (settings) => (observation) => {
    const scene = sceneOf(observation);
    const judged = plannedCells(scene).flatMap((cell) => judge(scene, cell, settings) ?? []);
    const rejected = eBenjaminiHochberg(
      judged.map(({ e }) => e),
      settings.q,
    );
    const held = judged.filter((_, index) => rejected[index]);
    const findings = held.flatMap(({ features, raw }) => {
      const shifts = features.flatMap((one) => shiftAt(one, one.z.length - 1) ?? []);
      const [most] = shifts.sort((left, right) => Math.abs(right.z) - Math.abs(left.z));
      if (!most) return [];
      const draft = shiftDraft(scene, most, 'a combination hardly seen before', raw);
      return [{ ...draft, level: 'investigate' as const }];
    });
    return { findings, insufficient: [] };
  },
};

interface Judged {
  readonly features: readonly Residuals[];
  readonly raw: number;
  /** For one look in a week of them. */
  readonly e: number;
}

function judge(scene: Scene, { segment }: SegmentObservation, settings: Options): Judged | null {
  const features = FEATURES.flatMap((metric) => {
    const series = seriesOf(scene, segment, metric);
    return (series && residualsOf(scene, series)) ?? [];
  });
  const [first] = features;
  if (!first || features.length < 2) return null;
  const steps = Math.min(...features.map(({ z }) => z.length));
  const seed =
    settings.seed + [...cellName(segment)].reduce((sum, one) => sum * 31 + one.charCodeAt(0), 7);
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
  const raw = 0.5 * 10 ** (surprise / 2);
  return { features, raw, e: raw / ((7 * DAY_MS) / first.series.step_ms) };
}
