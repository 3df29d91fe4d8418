import { describe, expect, test } from 'vitest';
import { linesOf, load } from './world.ts';

const withSafety = (safety: string) => ({
  'policies/oracle_policies.yaml': `safety: ${safety}\n`,
});

describe('safety.act', () => {
  test('safety.act has the detectors’ own defaults, and what the file says', () => {
    const act = (safety: string) => load(withSafety(safety)).policy.oracle.safety.act;
    expect(act('{}')).toEqual({ q_act: 0.001, influence: 0.05 });
    expect(act('{ act: { influence: 0.1 } }')).toEqual({ q_act: 0.001, influence: 0.1 });
  });

  test.each([
    ['{ act: { q_act: 0 } }', /q_act/],
    ['{ act: { q_act: 0.2 } }', /q_act/],
    ['{ act: { influence: 0.3 } }', /influence/],
    ['{ act: { influence: -0.1 } }', /influence/],
    ['{ act: { influense: 0.1 } }', /influense/],
  ])('safety.act refuses %s', (safety, wanted) => {
    expect(linesOf(withSafety(safety)).join('\n')).toMatch(wanted);
  });
});
