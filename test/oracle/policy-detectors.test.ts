import { describe, expect, test } from 'vitest';
import type { ActPolicy, Policy } from '../../src/core/policy.ts';
import { detectors } from '../../src/oracle/detectors/index.ts';
import { createPolicyDetectors } from '../../src/oracle/policy-detectors.ts';
import { HOST, POLICY } from './kit.ts';
import { cell, observed } from './observation.ts';

const policyWith = (act: Partial<ActPolicy>): Policy => {
  const { oracle } = POLICY;
  const safety = { ...oracle.safety, act: { ...oracle.safety.act, ...act } };
  return { ...POLICY, oracle: { ...oracle, safety } };
};
const stagesOf = (names: readonly string[]): Policy => ({
  ...POLICY,
  pipeline: {
    ...POLICY.pipeline,
    stages: { order: ['analyze'], by: { analyze: { detectors: [...names] } } },
  },
});

/** What may be done with the first finding of a detector. */
function levelUnder(name: string, act: Partial<ActPolicy>, seen: ReturnType<typeof observed>) {
  const all = createPolicyDetectors(detectors, HOST)(policyWith(act));
  return all.find((one) => one.name === name)?.detect(seen).findings[0]?.level;
}

describe('createPolicyDetectors', () => {
  test('createPolicyDetectors has safety.act.influence decide how many may be of ill will', () => {
    const past = [cell(null, 'dissatisfied', 700, 10_000)];
    // 20.5 % against 7 %: a twentieth of the users could have made it, a thousandth could not.
    const seen = observed([cell(null, 'dissatisfied', 205, 1000)], past);
    expect(levelUnder('dissatisfaction', {}, seen)).toBe('investigate');
    expect(levelUnder('dissatisfaction', { influence: 0.001 }, seen)).toBe('act');
    // And 25 % stand against a twentieth, but not against a quarter.
    const more = observed([cell(null, 'dissatisfied', 250, 1000)], past);
    expect(levelUnder('dissatisfaction', {}, more)).toBe('act');
    expect(levelUnder('dissatisfaction', { influence: 0.25 }, more)).toBe('investigate');
  });

  test('createPolicyDetectors has safety.act.q_act decide how certain an action must be', () => {
    const past = [cell(null, 'error', 200, 10_000)];
    const seen = observed([cell(null, 'error', 47, 1000)], past);
    expect(levelUnder('performance-degradation', {}, seen)).toBe('act');
    expect(levelUnder('performance-degradation', { q_act: 1e-9 }, seen)).toBe('investigate');
  });

  test('createPolicyDetectors makes them anew only where the policy says another thing', () => {
    const detectorsOf = createPolicyDetectors(detectors, HOST);
    const [first] = detectorsOf(POLICY);
    expect(detectorsOf({ ...POLICY })[0]).toBe(first);
    expect(detectorsOf(policyWith({ q_act: 0.01 }))[0]).not.toBe(first);
  });

  test('createPolicyDetectors has those that the policy names', () => {
    const named = createPolicyDetectors(detectors, HOST)(stagesOf(['cost-drift', 'default']));
    expect(named.map(({ name }) => name)).toEqual(['cost-drift', 'default']);
    expect(createPolicyDetectors(detectors, HOST)(POLICY)).toHaveLength(detectors.size);
  });
});
