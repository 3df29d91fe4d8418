import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/gates/rate.ts';
import { ADAPTER_PATCH, mutationFor, verdictBy } from '../kit.ts';

const at_ms = 100 * 3_600_000;
const executed = (n: number, age_ms: number) =>
  Array.from({ length: n }, (_, index) => ({ id: `mut_${index}`, at_ms: at_ms - age_ms }));

describe('rate', () => {
  test('rate passes the tenth mutation of an hour and fails the eleventh', () => {
    const mutation = mutationFor(ADAPTER_PATCH);
    const ninth = verdictBy(definition, mutation, { at_ms, recent: executed(9, 60_000) });
    expect(ninth.verdict).toBe('pass');
    const tenth = verdictBy(definition, mutation, { at_ms, recent: executed(10, 60_000) });
    expect(tenth).toEqual({ verdict: 'fail', reason: '10 of 10 mutations of this hour are used' });
  });

  test('rate forgets after an hour and counts the mutations before it in the plan', () => {
    const mutation = mutationFor(ADAPTER_PATCH);
    const old = verdictBy(definition, mutation, { at_ms, recent: executed(10, 3_600_000) });
    expect(old.verdict).toBe('pass');
    const earlier = [mutationFor(ADAPTER_PATCH)];
    const recent = executed(9, 1);
    expect(verdictBy(definition, mutation, { at_ms, recent, earlier }).verdict).toBe('fail');
  });
});
