import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/gates/confidence.ts';
import { ADAPTER_PATCH, mutationFor, verdictBy, withSwitches } from '../kit.ts';

const unsure = mutationFor(ADAPTER_PATCH, { confidence: { value: 0.9, lower: 0.5 } });

describe('confidence', () => {
  test('confidence asks a person below it: the lower bound at high risk, else the mean', () => {
    expect(verdictBy(definition, unsure)).toEqual({
      verdict: 'needs_approval',
      reason: 'lower bound of confidence 0.50, required 0.7',
    });
    const medium = { ...unsure, risk: 'medium' as const };
    expect(verdictBy(definition, medium).verdict).toBe('pass');
  });

  test('confidence passes what a person approved, and a record that is good enough', () => {
    expect(verdictBy(definition, unsure, {}, { approved: true }).verdict).toBe('pass');
    const sure = { ...unsure, confidence: { value: 0.95, lower: 0.8 } };
    expect(verdictBy(definition, sure).verdict).toBe('pass');
  });

  test('confidence does not apply to a person’s own plan', () => {
    const own = verdictBy(definition, mutationFor(ADAPTER_PATCH), {}, { origin: 'person' });
    expect(own.verdict).toBe('not_applicable');
  });

  test('confidence is only a warning with SAFETY_CHECKS_ENABLED=false', () => {
    const policy = withSwitches({ safety_checks: false });
    const verdict = verdictBy(definition, unsure, { policy });
    expect(verdict.verdict).toBe('pass');
    expect(verdict.reason).toContain('only a warning');
  });
});
