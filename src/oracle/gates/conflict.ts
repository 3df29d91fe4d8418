import { z } from 'zod';
import { type Json, sameJson } from '../../core/canonical.ts';
import type { Before, GateDefinition, Mutation } from '../../core/oracle.ts';
import { overlaps, valueAt } from '../../core/pointer.ts';

const options = z.strictObject({});

/**
 * Nothing else is being tried on the same agent or knob, and what the plan saw still holds: a
 * compare-and-set on the values, so that an edit elsewhere in the files voids nothing.
 */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'conflict',
  summary: 'One experiment an agent, no overlapping change, and the values are as planned.',
  options,
  create:
    () =>
    ({ mutation }, before) => {
      const problem =
        liveProblem(mutation, before) ??
        earlierProblem(mutation, before) ??
        staleProblem(mutation, before);
      if (problem !== null) return { verdict: 'fail', reason: problem };
      return { verdict: 'pass', reason: 'nothing else moves this agent, and the values hold' };
    },
};

function liveProblem(mutation: Mutation, before: Before): string | null {
  const live = before.rows.find(
    (row) =>
      (row.state === 'canary' || row.state === 'paused') &&
      (row.agent === mutation.agent || touchTogether(row.touches, mutation.touches)),
  );
  if (live) return `agent ${live.agent} is in an experiment already: ${live.id}`;
  const { ab = {} } = before;
  const name = Object.hasOwn(ab, mutation.agent) ? ab[mutation.agent] : undefined;
  return name === undefined ? null : `agent ${mutation.agent} is in the A/B experiment ${name}`;
}

function earlierProblem(mutation: Mutation, before: Before): string | null {
  const canary = before.policy.oracle.safety.canary.share < 1;
  const other = before.earlier.find(
    (earlier) =>
      (canary && earlier.agent === mutation.agent) ||
      touchTogether(earlier.touches, mutation.touches),
  );
  return other ? `the plan's ${other.id} stands in the way: same agent or knob` : null;
}

function staleProblem(mutation: Mutation, before: Before): string | null {
  for (const pointer of mutation.touches) {
    const now = (valueAt(before.policy, pointer) ?? null) as Json;
    const planned = mutation.before[pointer] ?? null;
    if (sameJson(now, planned)) continue;
    return `superseded: ${pointer} is ${JSON.stringify(now)}, no longer ${JSON.stringify(planned)}`;
  }
  return null;
}

function touchTogether(left: readonly string[], right: readonly string[]): boolean {
  return left.some((one) => right.some((other) => overlaps(one, other)));
}
