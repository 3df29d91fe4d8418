import type { PromptProposals } from '../../core/prompt/proposal-policy.ts';
import { createModels, type Models, type ModelsDeps } from '../models/models.ts';

/** The models that propose, answer and judge, within the budget of a UTC day. */
export type ProposalModels = Models<PromptProposals>;

export function createProposalModels(
  deps: Omit<ModelsDeps<PromptProposals>, 'name' | 'period' | 'budgetOf'>,
): ProposalModels {
  return createModels({
    ...deps,
    name: 'proposals',
    // What is spent is real, so the day is the wall clock's.
    period: () => new Date(deps.clock.wall_ms()).toISOString().slice(0, 10),
    budgetOf: ({ budget: { calls_per_day, tokens_per_day, usd_per_day } }) => ({
      calls: calls_per_day,
      tokens: tokens_per_day,
      usd: usd_per_day,
    }),
  });
}
