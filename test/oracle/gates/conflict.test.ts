import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/gates/conflict.ts';
import { ADAPTER_PATCH, mutationFor, rowFor, verdictBy, withSafety } from '../kit.ts';

const temperature = { agents: { solo: { params: { temperature: 0.6 } } } };

describe('conflict', () => {
  test('conflict passes where nothing else is tried and the values hold', () => {
    const applied = rowFor(mutationFor(temperature));
    const verdict = verdictBy(definition, mutationFor(ADAPTER_PATCH), { rows: [applied] });
    expect(verdict.verdict).toBe('pass');
  });

  test.each(['canary', 'paused'] as const)(
    'conflict fails beside a %s row of the agent',
    (state) => {
      const live = rowFor(mutationFor(temperature), { state });
      const verdict = verdictBy(definition, mutationFor(ADAPTER_PATCH), { rows: [live] });
      expect(verdict.verdict).toBe('fail');
      expect(verdict.reason).toContain(live.id);
    },
  );

  test('conflict fails while the agent is in an A/B experiment, not for another’s', () => {
    const mutation = mutationFor(ADAPTER_PATCH);
    expect(verdictBy(definition, mutation, { ab: { solo: 'tone' } })).toEqual({
      verdict: 'fail',
      reason: 'agent solo is in the A/B experiment tone',
    });
    expect(verdictBy(definition, mutation, { ab: { duo: 'tone' } }).verdict).toBe('pass');
  });

  test('conflict fails an agent’s second mutation in a plan, unless applied at once', () => {
    const earlier = [mutationFor(temperature)];
    const mutation = mutationFor(ADAPTER_PATCH);
    expect(verdictBy(definition, mutation, { earlier }).verdict).toBe('fail');
    const policy = withSafety({ canary: { share: 1 } });
    expect(verdictBy(definition, mutation, { earlier, policy }).verdict).toBe('pass');
    const same = { earlier: [mutationFor(ADAPTER_PATCH)], policy };
    expect(verdictBy(definition, mutation, same).verdict).toBe('fail');
  });

  test('conflict calls a mutation superseded once the value it saw was edited', () => {
    const mutation = mutationFor(ADAPTER_PATCH, { before: { '/agents/solo/adapter': 'reverse' } });
    expect(verdictBy(definition, mutation)).toEqual({
      verdict: 'fail',
      reason: 'superseded: /agents/solo/adapter is "none", no longer "reverse"',
    });
  });
});
