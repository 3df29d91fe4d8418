import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/oracle.ts';
import { idOfCopy, refuseEdited } from '../../src/oracle/copies.ts';
import { ADAPTER_PATCH, mutationFor } from './kit.ts';

const plan: Plan = {
  id: 'plan_1',
  origin: 'oracle',
  state: 'proposed',
  created_ms: 1,
  expires_at: '2026-01-01T00:00:00.000Z',
  mutations: [mutationFor(ADAPTER_PATCH, { expected: 1 })],
};
const copy = () => JSON.parse(JSON.stringify(plan));

describe('refuseEdited', () => {
  test('refuseEdited lets a true copy through, whatever its key order and its state', () => {
    const reversed = Object.fromEntries(Object.entries(copy()).reverse());
    expect(() => refuseEdited(reversed, plan, 'plan')).not.toThrow();
    expect(() =>
      refuseEdited({ ...copy(), state: 'approved' }, plan, 'plan', ['state']),
    ).not.toThrow();
  });

  test('refuseEdited takes Python’s 1.0 for our 1', () => {
    const text = JSON.stringify(plan).replace('"expected":1', '"expected":1.0');
    expect(text).toContain('1.0');
    expect(() => refuseEdited(JSON.parse(text), plan, 'plan')).not.toThrow();
  });

  test('refuseEdited names the path of the first edit', () => {
    const edited = copy();
    edited.mutations[0].patch.agents.solo.adapter = 'evil';
    expect(() => refuseEdited(edited, plan, 'plan')).toThrow(
      /plan\.mutations\[0\]\.patch\.agents\.solo\.adapter is not what was answered/,
    );
    expect(() => refuseEdited({ ...copy(), extra: 1 }, plan, 'plan')).toThrow(/plan\.extra/);
    expect(() => refuseEdited({ ...copy(), mutations: [] }, plan, 'plan')).toThrow(/mutations/);
  });

  test('idOfCopy reads an id or a copy, and refuses what is neither', () => {
    expect(idOfCopy('plan_1', 'plan')).toBe('plan_1');
    expect(idOfCopy(plan, 'plan')).toBe('plan_1');
    for (const odd of [null, 7, [], {}, { id: 7 }]) {
      expect(() => idOfCopy(odd, 'plan')).toThrow(/plan must be/);
    }
  });
});
