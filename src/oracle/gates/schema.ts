import { z } from 'zod';
import { sameJson } from '../../core/canonical.ts';
import type { GateDefinition } from '../../core/oracle.ts';
import { mergePatch, touchedPointers } from '../../core/pointer.ts';
import type { Policy } from '../../core/policy.ts';

const options = z.strictObject({});

/** A mutation is what it says it is, and the policy with it still is a policy. */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'schema',
  summary: 'The patch is well formed and the policy with it loads.',
  options,
  create:
    () =>
    ({ mutation }, before) => {
      const fail = (reason: string) => ({ verdict: 'fail' as const, reason });
      if (!Object.hasOwn(before.policy.agents, mutation.agent)) {
        return fail(`agent ${mutation.agent} is not in the policy`);
      }
      const written = [...touchedPointers(mutation.patch)].sort();
      if (!sameJson(written, [...mutation.touches].sort())) {
        return fail(`the patch writes ${written.join(', ')}, not ${mutation.touches.join(', ')}`);
      }
      const after = mergePatch(before.policy, mutation.patch);
      if (sameJson(after, before.policy)) return fail('the patch changes nothing');
      const problems = before.problemsOf(after as unknown as Policy);
      if (problems.length > 0) return fail(problems.join('; '));
      return { verdict: 'pass', reason: 'the policy loads with the patch' };
    },
};
