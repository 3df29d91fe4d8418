import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/canonical.ts';
import { fold, rowsTakenBack, valuesBefore, versionOf } from '../../src/core/fold.ts';
import type { Row } from '../../src/core/oracle.ts';
import { mergePatch, touchedPointers } from '../../src/core/pointer.ts';
import type { Policy } from '../../src/core/policy.ts';
import { smallContents, smallPolicy } from './policy.ts';

const adapterPatch = (agent: string, adapter: string): JsonObject => ({
  agents: { [agent]: { adapter } },
});
const temperaturePatch = (agent: string, temperature: number): JsonObject => ({
  agents: { [agent]: { params: { temperature } } },
});

function rowOf(seq: number, agent: string, patch: JsonObject, policy: Policy): Row {
  const touches = touchedPointers(patch);
  return {
    seq,
    id: `mut_${seq}`,
    rollback_key: `rollback_${seq}`,
    type: 'LORA_APPLY',
    agent,
    state: 'applied',
    touches,
    before: valuesBefore(policy, touches),
    patch,
  };
}

describe('fold', () => {
  test('fold applies a row whose before matches, and the version changes and comes back', () => {
    const row = rowOf(1, 'helper', adapterPatch('helper', 'upper'), smallPolicy);
    const folded = fold(smallPolicy, [row], smallContents);
    expect(folded.policy.agents.helper?.adapter).toBe('upper');
    expect(folded.applied).toEqual(['mut_1']);
    expect(versionOf(folded.policy)).not.toBe(versionOf(smallPolicy));
    expect(versionOf(fold(smallPolicy, [], smallContents).policy)).toBe(versionOf(smallPolicy));
  });

  test('fold supersedes a row when an operator changed what lies under it', () => {
    const row = rowOf(1, 'helper', adapterPatch('helper', 'upper'), smallPolicy);
    const edited = mergePatch(smallPolicy, adapterPatch('helper', 'other')) as unknown as Policy;
    const folded = fold(edited, [row], smallContents);
    expect(folded.policy).toEqual(edited);
    expect(folded.superseded[0]?.reason).toBe(
      '/agents/helper/adapter is "other", no longer "none"',
    );
  });

  test('fold leaves a row alone when an operator changed something else', () => {
    const row = rowOf(1, 'helper', adapterPatch('helper', 'upper'), smallPolicy);
    const edited = mergePatch(smallPolicy, {
      agents: { other: { params: { top_p: 1 } } },
    }) as unknown as Policy;
    expect(fold(edited, [row], smallContents).applied).toEqual(['mut_1']);
  });

  test('fold supersedes a row that the bounds no longer allow', () => {
    const row = rowOf(1, 'helper', adapterPatch('helper', 'reverse'), smallPolicy);
    const folded = fold(smallPolicy, [row], smallContents);
    expect(folded.superseded).toEqual([
      { id: 'mut_1', reason: 'adapter "reverse" is not allowed: allow is [upper]' },
    ]);
  });

  test('fold applies rows in order of seq, whatever their order in the list', () => {
    const first = rowOf(1, 'helper', temperaturePatch('helper', 0.6), smallPolicy);
    const after = fold(smallPolicy, [first], smallContents).policy;
    const second = rowOf(2, 'helper', temperaturePatch('helper', 0.8), after);
    const folded = fold(smallPolicy, [second, first], smallContents);
    expect(folded.policy.agents.helper?.params.temperature).toBe(0.8);
    expect(folded.applied).toEqual(['mut_1', 'mut_2']);
  });

  test('taking a row back, with those that follow it, leaves the fold of the rest', () => {
    const step = fc.record({
      agent: fc.constantFrom('helper', 'other'),
      knob: fc.constantFrom('adapter', 'temperature'),
      up: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(), (steps, pick) => {
        const rows: Row[] = [];
        for (const [index, { agent, knob, up }] of steps.entries()) {
          const now = fold(smallPolicy, rows, smallContents).policy;
          const patch =
            knob === 'adapter'
              ? adapterPatch(agent, up ? 'upper' : 'none')
              : temperaturePatch(agent, up ? 0.6 : 0.5);
          rows.push(rowOf(index + 1, agent, patch, now));
        }
        const whole = fold(smallPolicy, rows, smallContents);
        expect(whole.superseded).toEqual([]);
        const victim = rows[pick % rows.length] as Row;
        const taken = new Set(rowsTakenBack(rows, victim.id).map((row) => row.id));
        expect(taken.has(victim.id)).toBe(true);
        const rest = rows.filter((row) => !taken.has(row.id));
        const folded = fold(smallPolicy, rest, smallContents);
        expect(folded.superseded).toEqual([]);
        expect(folded.applied).toEqual(rest.map((row) => row.id));
      }),
    );
  });
});
