import { z } from 'zod';
import type { GateDefinition } from '../../core/oracle.ts';
import type { Risk } from '../../core/policy.ts';

const options = z.strictObject({});
const RANK: Record<Risk, number> = { low: 0, medium: 1, high: 2 };

/** A person decides about what is risky. */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'approval',
  summary: 'A person approved it, or its risk is below safety.require_approval.risk.',
  options,
  create:
    () =>
    ({ mutation, approved }, before) => {
      const { risk } = before.policy.oracle.safety.require_approval;
      if (approved) return { verdict: 'pass', reason: 'a person approved it' };
      const reason = `risk ${mutation.risk}, approval is required from ${risk}`;
      const asks = risk !== 'none' && RANK[mutation.risk] >= RANK[risk];
      return { verdict: asks ? 'needs_approval' : 'pass', reason };
    },
};
