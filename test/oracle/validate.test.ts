import { describe, expect, test } from 'vitest';
import { gates } from '../../src/oracle/gates/index.ts';
import {
  failedForGood,
  gatesInOrder,
  reasonsOf,
  statusOf,
  validate,
} from '../../src/oracle/validate.ts';
import { ADAPTER_PATCH, beforeOf, HOST, mutationFor, POLICY } from './kit.ts';

const ordered = gatesInOrder(POLICY.oracle.gates, gates, HOST);
const plan = { origin: 'oracle' as const, mutations: [mutationFor(ADAPTER_PATCH)] };

describe('validate', () => {
  test('validate gives every gate’s verdict in the policy’s order', () => {
    const verdicts = validate(plan, false, beforeOf(), ordered);
    expect(verdicts.map(({ gate }) => gate)).toEqual(POLICY.oracle.gates);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([
      'pass',
      'pass',
      'pass',
      'pass',
      'pass',
      'not_applicable',
      'needs_approval',
    ]);
    expect(statusOf(verdicts)).toBe('needs_approval');
    expect(statusOf(validate(plan, true, beforeOf(), ordered))).toBe('passed');
  });

  test('validate hashes the inputs of a verdict: the same give the same, others another', () => {
    const [first] = validate(plan, false, beforeOf(), ordered);
    const [again] = validate(plan, false, beforeOf(), ordered);
    const [later] = validate(plan, false, beforeOf({ at_ms: 5 }), ordered);
    expect(first?.inputs_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(again?.inputs_sha256).toBe(first?.inputs_sha256);
    expect(later?.inputs_sha256).not.toBe(first?.inputs_sha256);
  });

  test('validate fails a gate that throws instead of passing it', () => {
    const gate = () => {
      throw new Error('odd data');
    };
    const verdicts = validate(plan, false, beforeOf(), [{ name: 'odd', gate }]);
    expect(verdicts[0]).toMatchObject({ verdict: 'fail', reason: 'the gate failed: odd data' });
    expect(statusOf(verdicts)).toBe('failed');
  });

  test('gatesInOrder refuses a name without a gate', () => {
    expect(() => gatesInOrder(['schema', 'magic'], gates, HOST)).toThrow(/no gate named magic/);
  });

  test('failedForGood tells what time heals from what never passes', () => {
    const of = (gate: string, reason: string) => [
      { mutation: 'm', gate, verdict: 'fail' as const, reason, inputs_sha256: '' },
    ];
    expect(failedForGood(of('rate', '10 of 10'))).toBe(false);
    expect(failedForGood(of('conflict', 'an experiment is live'))).toBe(false);
    expect(failedForGood(of('conflict', 'superseded: /a is 1'))).toBe(true);
    expect(failedForGood(of('policy', 'not allowed'))).toBe(true);
    expect(reasonsOf(of('policy', 'not allowed'), 'fail')).toBe('policy: not allowed');
  });

  test('an empty plan passes', () => {
    const verdicts = validate({ origin: 'person', mutations: [] }, false, beforeOf(), ordered);
    expect(verdicts).toEqual([]);
    expect(statusOf(verdicts)).toBe('passed');
  });
});
