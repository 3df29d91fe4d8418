import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/gates/schema.ts';
import { ADAPTER_PATCH, mutationFor, verdictBy } from '../kit.ts';

describe('schema', () => {
  test('schema passes a patch that is what it says and loads', () => {
    expect(verdictBy(definition, mutationFor(ADAPTER_PATCH)).verdict).toBe('pass');
  });

  test('schema fails a policy that would not load, with the loader’s reason', () => {
    const problemsOf = () => ['agents.solo.adapter: unknown adapter upper'];
    const verdict = verdictBy(definition, mutationFor(ADAPTER_PATCH), { problemsOf });
    expect(verdict).toEqual({
      verdict: 'fail',
      reason: 'agents.solo.adapter: unknown adapter upper',
    });
  });

  test('schema fails other touches, an unknown agent, and a patch that changes nothing', () => {
    const lying = mutationFor(ADAPTER_PATCH, { touches: ['/agents/solo/prompt'] });
    expect(verdictBy(definition, lying).verdict).toBe('fail');
    const unknown = mutationFor({ agents: { gone: { adapter: 'upper' } } }, { agent: 'gone' });
    expect(verdictBy(definition, unknown).verdict).toBe('fail');
    const same = mutationFor({ agents: { solo: { adapter: 'none' } } });
    expect(verdictBy(definition, same)).toEqual({
      verdict: 'fail',
      reason: 'the patch changes nothing',
    });
  });
});
