import { type ContextFit, fitContext } from './context-fit.ts';
import { createContextScorer, scoreContext } from './context-model.ts';
import { type ContextSample, readRows } from './context-rows.ts';
import { type RewardChange, rewardChanges, rewardWeights } from './reward-weights.ts';

/** What other targets' rewards before a change count for: a model of many features needs some. */
const OTHERS_KEPT = 10;

/**
 * The fit, made again where a target has changed. Changes are looked for in what the model leaves
 * unexplained, for a router that learns sends a target other calls than before, and their rewards
 * differ though the target does not.
 */
export function fitThroughChanges(
  samples: readonly ContextSample[],
  targets: readonly string[],
  discount: number,
): { readonly fit: ContextFit; readonly changes: readonly RewardChange[] } {
  const known = samples.filter(({ target }) => targets.includes(target));
  const fit = fitContext(known, targets, rewardWeights(known, discount, []));
  const scorer = createContextScorer(fit.model);
  if (scorer === null) return { fit, changes: [] };
  const rows = readRows(known, fit.model.targets, fit.model.categories);
  const left = known.map(({ category, target, reward, unit }, at) => {
    const row = rows[at];
    const whose = unit === undefined ? {} : { unit };
    if (row === undefined || !row.known) return { ...whose, category: '', target, reward: 0 };
    const { means } = scoreContext(scorer, row.x, category, [target], false);
    return { ...whose, category: '', target, reward: reward - (means[0] as number) };
  });
  const changes = rewardChanges(left);
  if (changes.length === 0) return { fit, changes };
  const weights = rewardWeights(left, discount, changes, OTHERS_KEPT);
  return { fit: fitContext(known, targets, weights), changes };
}
