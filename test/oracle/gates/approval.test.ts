import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/gates/approval.ts';
import { ADAPTER_PATCH, mutationFor, verdictBy, withSafety } from '../kit.ts';

const high = mutationFor(ADAPTER_PATCH);

describe('approval', () => {
  test('approval asks a person from the policy’s risk on', () => {
    expect(verdictBy(definition, high).verdict).toBe('needs_approval');
    expect(verdictBy(definition, { ...high, risk: 'medium' }).verdict).toBe('pass');
    const policy = withSafety({ require_approval: { risk: 'low' } });
    expect(verdictBy(definition, { ...high, risk: 'low' }, { policy }).verdict).toBe(
      'needs_approval',
    );
  });

  test('approval passes what was approved, and asks nobody with risk none', () => {
    expect(verdictBy(definition, high, {}, { approved: true }).verdict).toBe('pass');
    const policy = withSafety({ require_approval: { risk: 'none' } });
    expect(verdictBy(definition, high, { policy }).verdict).toBe('pass');
  });
});
