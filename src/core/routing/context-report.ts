import type { ArmFit, ContextFit } from './context-fit.ts';
import {
  type ContextRule,
  contextProbabilities,
  createContextScorer,
  scoreContext,
} from './context-model.ts';
import { FEATURE_NAMES, FEATURES } from './prompt-features.ts';
import type { BelievedTarget } from './route-belief.ts';

/** What one more standard deviation of a feature does to a target's reward, beside the others. */
export interface FeatureEffect {
  readonly feature: string;
  readonly effect: number;
  /** 95 % of the doubt is between them. */
  readonly low: number;
  readonly high: number;
}

export interface ContextTarget extends BelievedTarget {
  /** Mean probability over the newest calls. */
  readonly share: number;
}

export interface ContextReport {
  readonly categories: readonly {
    readonly category: string;
    readonly targets: readonly ContextTarget[];
  }[];
  /** By target, the surest first. */
  readonly strongest: Readonly<Record<string, readonly FeatureEffect[]>>;
  /** By target: every feature's effect; what of the model is read, not used. */
  readonly effects: Readonly<Record<string, readonly FeatureEffect[]>>;
}

const STRONGEST = 5;

/** What a model believes, in words and numbers for people; '' is of all calls. */
export function reportContext(fit: ContextFit, rule: ContextRule): ContextReport {
  const names = [...FEATURE_NAMES, ...fit.model.categories.map((name) => `category ${name}`)];
  const effects = Object.fromEntries(
    fit.arms.map((arm) => [arm.target, effectsOf(fit, arm, names)] as const),
  );
  const strongest = Object.fromEntries(
    Object.entries(effects).map(([target, all]) => [target, surest(all)] as const),
  );
  const categories = ['', ...fit.model.categories].flatMap((category) => {
    const targets = targetsIn(fit, rule, category);
    return targets.length === 0 ? [] : [{ category, targets }];
  });
  return { categories, strongest, effects };
}

function effectsOf(fit: ContextFit, arm: ArmFit, names: readonly string[]): FeatureEffect[] {
  return names.flatMap((feature, at) => {
    const spread = fit.deviations[at] as number;
    if (at === 0 || spread === 0) return [];
    const effect = (arm.own[at] as number) * spread;
    const variance = arm.inverse[at * fit.columns + at] as number;
    const reach = 1.96 * fit.model.noise * Math.sqrt(variance) * spread;
    return [{ feature, effect, low: effect - reach, high: effect + reach }];
  });
}

/** Those whose interval is farthest from 0, on either side. */
function surest(effects: readonly FeatureEffect[]): readonly FeatureEffect[] {
  const clearance = ({ low, high }: FeatureEffect): number => Math.max(low, -high);
  return [...effects]
    .sort((left, right) => clearance(right) - clearance(left))
    .slice(0, STRONGEST)
    .filter(({ effect }) => effect !== 0);
}

/** Of the average call of a category among the newest; all calls where it is ''. */
function targetsIn(fit: ContextFit, rule: ContextRule, category: string): ContextTarget[] {
  const scorer = createContextScorer(fit.model);
  const calls = fit.recent.filter((one) => category === '' || one.category === category);
  if (scorer === null || (calls.length === 0 && category !== '')) return [];
  const { targets } = fit.model;
  const shares = new Float64Array(targets.length);
  const average = new Float64Array(FEATURES);
  for (const { x, category: own } of calls) {
    const scores = scoreContext(scorer, x, own, targets, true);
    const given = contextProbabilities(scores, rule, fit.model) ?? [];
    for (const [k, share] of given.entries()) shares[k] = (shares[k] as number) + share;
    for (let at = 0; at < FEATURES; at += 1) {
      average[at] = (average[at] as number) + (x[at] as number) / calls.length;
    }
  }
  if (calls.length === 0) average.set(fit.means.subarray(0, FEATURES));
  average[0] = 1;
  const { means, deviations } = scoreContext(scorer, average, category, targets, true);
  return targets.map((target, k) => {
    const mean = means[k] as number;
    const reach = 1.96 * (deviations[k] as number);
    const share = calls.length === 0 ? 1 / targets.length : (shares[k] as number) / calls.length;
    const { n } = fit.arms[k] as ArmFit;
    return { target, mean, low: mean - reach, high: mean + reach, n, share };
  });
}
