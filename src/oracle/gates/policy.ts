import { z } from 'zod';
import { boundProblem } from '../../core/bounds.ts';
import type { Before, GateDefinition, Mutation } from '../../core/oracle.ts';
import { matchesPattern, mergePatch, parsePointer, valueAt } from '../../core/pointer.ts';
import type { Policy } from '../../core/policy.ts';

const options = z.strictObject({});

/** A mutation moves only the knobs of its type, and only as far as the operator's bounds let it. */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'policy',
  summary: 'The type may move this knob, and the bounds allow the value.',
  options,
  create:
    () =>
    ({ mutation }, before) => {
      const after = mergePatch(before.policy, mutation.patch) as unknown as Policy;
      const problem =
        typeProblem(mutation, before) ??
        boundProblem(mutation, before.policy, after, before.contents);
      if (problem !== null) return { verdict: 'fail', reason: problem };
      return { verdict: 'pass', reason: 'every touched knob is within its bound' };
    },
};

function typeProblem(mutation: Mutation, before: Before): string | null {
  const { type, touches, patch } = mutation;
  for (const pointer of touches) {
    if (!before.kinds[type].paths.some((pattern) => matchesPattern(pattern, pointer))) {
      return `${type} may not touch ${pointer}`;
    }
    if (parsePointer(pointer)[2] !== 'targets') continue;
    // Both types write below `targets`: one its keys, the other the weights of those that stay.
    const there = valueAt(before.policy, pointer) !== undefined;
    const stays = valueAt(patch, pointer) !== null;
    const weightOnly = there && stays;
    if (type === 'ROUTE_CHANGE' && !weightOnly) {
      return `${pointer} adds or removes a target, which is MODEL_SWAP's`;
    }
    if (type === 'MODEL_SWAP' && weightOnly) {
      return `${pointer} only moves a weight, which is ROUTE_CHANGE's`;
    }
  }
  return null;
}
