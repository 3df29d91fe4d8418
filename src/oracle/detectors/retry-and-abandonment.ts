import { z } from 'zod';
import { familyDetector, rateOptions } from '../../core/findings/family.ts';
import { rateDraft } from '../../core/findings/rate-draft.ts';
import { testRate, weekly } from '../../core/findings/rates.ts';

const options = z.strictObject(rateOptions(0.05));

const METRICS = ['abort', 'retry', 'regeneration', 'reask'] as const;

/**
 * Whether more units than before give up, try again, or ask the same again. Nobody said anything:
 * what is only inferred is looked into, and never acted on by itself.
 */
export const definition = familyDetector<z.infer<typeof options>>({
  name: 'retry-and-abandonment',
  summary: 'Units that give up, retry, regenerate or ask again, against their own past.',
  options,
  ask: (scene, cell, settings, sift) =>
    METRICS.filter((metric) => cell.rates[metric])
      .flatMap((metric) => sift(testRate(scene, cell, metric, settings)))
      .map((test) => ({
        p_week: weekly(scene, test.p),
        clears: test.clears,
        said: () => rateDraft(scene, test, { level: 'investigate' }),
      })),
});
