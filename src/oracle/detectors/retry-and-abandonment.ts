import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import { rateDraft } from '../../core/findings/rate-draft.ts';
import {
  type Candidate,
  holding,
  isMissing,
  type Missing,
  type RateTest,
  testRate,
  weekly,
} from '../../core/findings/rates.ts';
import { plannedCells, sceneOf } from '../../core/findings/scene.ts';

const options = z.strictObject({
  units_min: z.int().min(1).default(20),
  events_min: z.int().min(1).default(5),
  /** False findings a week that are expected where nothing is wrong. */
  q: z.number().gt(0).lt(1).default(0.05),
});

const METRICS = ['abort', 'retry', 'regeneration', 'reask'] as const;

/**
 * Whether more units than before give up, try again, or ask the same again. Nobody said anything:
 * what is only inferred is looked into, and never acted on by itself.
 */
export const definition: DetectorDefinition<z.infer<typeof options>> = {
  name: 'retry-and-abandonment',
  summary: 'Units that give up, retry, regenerate or ask again, against their own past.',
  options,
  create: (settings) => (observation) => {
    const scene = sceneOf(observation);
    const insufficient: Missing[] = [];
    const candidates = plannedCells(scene).flatMap((cell) =>
      METRICS.filter((metric) => cell.rates[metric]).flatMap((metric): Candidate<RateTest>[] => {
        const test = testRate(scene, cell, metric, settings);
        if (test === null) return [];
        if (!isMissing(test)) {
          return [{ p_week: weekly(scene, test.p), clears: test.clears, said: test }];
        }
        insufficient.push(test);
        return [];
      }),
    );
    const findings = holding(candidates, settings.q).map((test) =>
      rateDraft(scene, test, { level: 'investigate' }),
    );
    return { findings, insufficient };
  },
};
