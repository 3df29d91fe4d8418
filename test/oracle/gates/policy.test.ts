import { describe, expect, test } from 'vitest';
import type { Mutation } from '../../../src/core/oracle.ts';
import { definition } from '../../../src/oracle/gates/policy.ts';
import { ADAPTER_PATCH, mutationFor, verdictBy } from '../kit.ts';

const judge = (patch: Mutation['patch'], change: Partial<Mutation>) =>
  verdictBy(definition, mutationFor(patch, change));
const targets = (weights: Record<string, number | null>) => ({
  agents: { duo: { targets: weights } },
});

describe('policy', () => {
  test('policy passes an allowed adapter and fails another', () => {
    expect(judge(ADAPTER_PATCH, {}).verdict).toBe('pass');
    expect(judge({ agents: { solo: { adapter: 'evil' } } }, {}).verdict).toBe('fail');
  });

  test('policy fails a knob that is not the type’s, and whatever has no bound', () => {
    expect(judge(ADAPTER_PATCH, { type: 'PROMPT_PATCH' }).reason).toContain('may not touch');
    const unbounded = { agents: { solo: { params: { top_p: 0.5 } } } };
    expect(judge(unbounded, { type: 'PARAM_SET' }).reason).toContain('no bound');
    const safety = { oracle: { safety: { min_confidence: 0 } } };
    expect(judge(safety, { type: 'PARAM_SET' }).verdict).toBe('fail');
    const other = { agents: { duo: { adapter: 'upper' } } };
    expect(judge(other, { agent: 'solo' }).verdict).toBe('fail');
  });

  test('policy bounds the step of a number', () => {
    const set = (temperature: number) => ({ agents: { solo: { params: { temperature } } } });
    expect(judge(set(0.6), { type: 'PARAM_SET' }).verdict).toBe('pass');
    expect(judge(set(0.9), { type: 'PARAM_SET' }).verdict).toBe('fail');
  });

  test('policy keeps weights for ROUTE_CHANGE and names for MODEL_SWAP', () => {
    const duo = { agent: 'duo' };
    expect(judge(targets({ mini: 0.6 }), { ...duo, type: 'ROUTE_CHANGE' }).verdict).toBe('pass');
    expect(judge(targets({ mini: 9 }), { ...duo, type: 'ROUTE_CHANGE' }).verdict).toBe('fail');
    const dodge = judge(targets({ mini: 9 }), { ...duo, type: 'MODEL_SWAP' });
    expect(dodge.reason).toContain("ROUTE_CHANGE's");
    const swap = targets({ mini: null, bad: 0.5 });
    expect(judge(swap, { ...duo, type: 'MODEL_SWAP' }).verdict).toBe('pass');
    expect(judge(swap, { ...duo, type: 'ROUTE_CHANGE' }).reason).toContain("MODEL_SWAP's");
    const none = targets({ mini: null, demo: null });
    expect(judge(none, { ...duo, type: 'MODEL_SWAP' }).verdict).toBe('fail');
  });
});
