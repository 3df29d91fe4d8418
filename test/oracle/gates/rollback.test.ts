import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/gates/rollback.ts';
import { ADAPTER_PATCH, mutationFor, POLICY, rowFor, verdictBy } from '../kit.ts';

describe('rollback', () => {
  test('rollback passes where the inverse leads back to the version in force', () => {
    const applied = rowFor(
      mutationFor({ agents: { solo: { params: { temperature: 0.6 } } } }, { type: 'PARAM_SET' }),
    );
    const verdict = verdictBy(definition, mutationFor(ADAPTER_PATCH), { rows: [applied] });
    expect(verdict.verdict).toBe('pass');
  });

  test('rollback walks back whatever temperature or target a patch sets or removes', () => {
    const weight = fc.option(fc.double({ min: 0.1, max: 1, noNaN: true }), { nil: null });
    const bounds = {
      ...POLICY.oracle.bounds,
      '/agents/*/targets': { add_from: ['bad'], min_left: 0 },
    };
    const policy = { ...POLICY, oracle: { ...POLICY.oracle, bounds } };
    fc.assert(
      fc.property(weight, weight, (demo, bad) => {
        const patch = { agents: { duo: { targets: { demo, bad } } } };
        const mutation = mutationFor(patch, { agent: 'duo', type: 'MODEL_SWAP' }, policy);
        const verdict = verdictBy(definition, mutation, { base: policy, policy });
        expect(verdict.verdict).toBe('pass');
      }),
    );
  });

  test('rollback walks back a patch that creates what was not there', () => {
    const bounds = { ...POLICY.oracle.bounds, '/agents/*/plugins/*/*': { min: 0, max: 9 } };
    const policy = { ...POLICY, oracle: { ...POLICY.oracle, bounds } };
    const patch = { agents: { solo: { plugins: { 'model-router': { depth: 2 } } } } };
    const mutation = mutationFor(patch, { type: 'PARAM_SET' }, policy);
    expect(verdictBy(definition, mutation, { base: policy, policy }).verdict).toBe('pass');
  });

  test('rollback fails what the fold would refuse', () => {
    const verdict = verdictBy(definition, mutationFor({ agents: { solo: { adapter: 'evil' } } }));
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reason).toContain('the fold refuses it');
  });
});
