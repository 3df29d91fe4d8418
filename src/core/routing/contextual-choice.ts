import type { Call } from '../call.ts';
import type { PublishedRoutes } from '../plugin.ts';
import { callContext, encodeFeatures } from './call-context.ts';
import {
  type ContextModel,
  type ContextRule,
  type ContextScorer,
  contextProbabilities,
  createContextScorer,
  scoreContext,
} from './context-model.ts';
import { FEATURES } from './prompt-features.ts';

/** A contextual choice as the gateway makes it, for one agent: features, scores, probabilities. */
export interface ContextualChoice {
  /**
   * The probability of each target, or null where no model is known of them: then the weights hold.
   */
  probabilities(asked: Asked): readonly number[] | null;
  /** The features of the call that was last asked about, for its event. */
  features(): string;
}

export interface Asked {
  readonly call: Call;
  readonly category: string;
  readonly targets: readonly string[];
  readonly published: PublishedRoutes | null;
}

/** Synchronous and without a wait in between, so one vector serves all calls. */
export function createContextualChoice(rule: ContextRule, sticky: boolean): ContextualChoice {
  const x = new Float64Array(FEATURES);
  let known: ContextModel | undefined;
  let scorer: ContextScorer | null = null;
  return {
    probabilities({ call, category, targets, published }) {
      callContext(call, sticky, x);
      const model = published?.table.model;
      if (model !== known) {
        known = model;
        scorer = model === undefined ? null : createContextScorer(model);
      }
      if (scorer === null) return null;
      const scores = scoreContext(scorer, x, category, targets, rule.rule === 'linucb');
      return contextProbabilities(scores, rule, scorer.model);
    },
    features: () => encodeFeatures(x),
  };
}
