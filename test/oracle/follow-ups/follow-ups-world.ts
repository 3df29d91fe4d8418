import type { Policy } from '../../../src/core/policy.ts';
import type { FollowUpPolicy } from '../../../src/core/signals/follow-up-policy.ts';
import { policyWith } from '../proposals/proposals-world.ts';

export const FOLLOW_UPS: FollowUpPolicy = {
  target: 'mini',
  budget: { calls_per_hour: 100, tokens_per_hour: 1_000_000 },
  timeout_ms: 5000,
  tokens_max: 100,
  failures_max: 2,
};

/** Calls are kept, no prompt is proposed, and a model classifies follow-ups. */
export function followUpPolicy(asked: Partial<FollowUpPolicy> = {}): Policy {
  const { oracle, ...policy } = policyWith();
  const { proposals: _none, ...rest } = oracle;
  return { ...policy, oracle: { ...rest, follow_ups: { ...FOLLOW_UPS, ...asked } } };
}
