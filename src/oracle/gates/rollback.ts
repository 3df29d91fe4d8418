import { z } from 'zod';
import type { Json, JsonObject } from '../../core/canonical.ts';
import { fold, versionOf } from '../../core/fold.ts';
import { isObject } from '../../core/json-values.ts';
import type { GateDefinition, Row } from '../../core/oracle.ts';
import { mergePatch } from '../../core/pointer.ts';
import type { Policy } from '../../core/policy.ts';

const options = z.strictObject({});

/**
 * The way back is walked before the way out: the row is folded, its inverse applied, and the
 * version must equal the one before.
 */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'rollback',
  summary: 'A dry run of the inverse ends at the version that is in force now.',
  options,
  create:
    () =>
    ({ mutation }, before) => {
      const applied = before.rows.filter(({ state }) => state === 'applied');
      const seq = Math.max(0, ...before.rows.map((row) => row.seq)) + 1;
      const row: Row = { ...mutation, seq, rollback_key: 'dry-run', state: 'applied' };
      const old = fold(before.base, applied, before.contents);
      const next = fold(before.base, [...applied, row], before.contents);
      const refused = next.superseded.find(({ id }) => id === mutation.id);
      if (refused) return { verdict: 'fail', reason: `the fold refuses it: ${refused.reason}` };
      const inverse = inverseOf(mutation.patch, old.policy);
      const back = mergePatch(next.policy, inverse) as unknown as Policy;
      const version = versionOf(old.policy);
      if (versionOf(back) !== version) {
        return {
          verdict: 'fail',
          reason: 'the inverse does not lead back to the version in force',
        };
      }
      return { verdict: 'pass', reason: `the inverse leads back to ${version.slice(0, 12)}` };
    },
};

/** The merge patch that undoes another on this document; what the patch created goes whole. */
function inverseOf(patch: JsonObject, document: unknown): JsonObject {
  const old = isObject(document) ? document : {};
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]): [string, Json] => {
      if (!Object.hasOwn(old, key)) return [key, null];
      const under = old[key] as Json;
      return [key, isObject(value) && isObject(under) ? inverseOf(value, under) : under];
    }),
  );
}
