import { z } from 'zod';
import type { GateDefinition, Verdict } from '../../core/oracle.ts';

const options = z.strictObject({});

/**
 * The oracle acts by itself only where its own record says that it may. A high risk is held to the
 * lower bound, anything else to the mean. A person's plan claims no confidence.
 */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'confidence',
  summary: 'The calibrated confidence reaches safety.min_confidence, or a person decides.',
  options,
  create:
    () =>
    ({ mutation, origin, approved }, before): Verdict => {
      if (origin === 'person' || mutation.confidence === null) {
        return { verdict: 'not_applicable', reason: 'a person planned it' };
      }
      const least = before.policy.oracle.safety.min_confidence;
      const { value, lower } = mutation.confidence;
      const weighed = mutation.risk === 'high' ? lower : value;
      const figure = mutation.risk === 'high' ? 'lower bound of confidence' : 'confidence';
      const reason = `${figure} ${weighed.toFixed(2)}, required ${least}`;
      if (weighed >= least) return { verdict: 'pass', reason };
      if (approved) return { verdict: 'pass', reason: `${reason}; a person approved` };
      if (!before.policy.switches.safety_checks) {
        return {
          verdict: 'pass',
          reason: `${reason}; only a warning: SAFETY_CHECKS_ENABLED=false`,
        };
      }
      return { verdict: 'needs_approval', reason };
    },
};
