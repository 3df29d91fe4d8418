import { describe, expect, test } from 'vitest';
import { frozenAgents, lastChanges } from '../../src/oracle/changes.ts';
import { smallPolicy } from '../core/policy.ts';
import { HOUR_MS } from './canary-stats.ts';
import { ADAPTER_PATCH, mutationFor, rowFor } from './kit.ts';

const row = (change: Parameters<typeof rowFor>[1]) => rowFor(mutationFor(ADAPTER_PATCH), change);
const AT_MS = 1000 * HOUR_MS;

describe('an agent that changed', () => {
  test('lastChanges takes a promotion, and the withdrawal of what was promoted', () => {
    const promoted = row({ state: 'applied', applied_ms: 5, ended_ms: null });
    const withdrawn = row({ state: 'withdrawn', applied_ms: 3, ended_ms: 9 });
    const never = row({ state: 'withdrawn', applied_ms: null, ended_ms: 20 });
    expect(lastChanges([promoted, withdrawn, never], smallPolicy)).toEqual({ solo: 9 });
  });

  test('frozenAgents names it until the next whole hour', () => {
    const promoted = row({ state: 'applied', applied_ms: AT_MS + 1, ended_ms: null });
    expect(frozenAgents([promoted], smallPolicy, AT_MS + HOUR_MS - 1)).toEqual(['solo']);
    expect(frozenAgents([promoted], smallPolicy, AT_MS + HOUR_MS)).toEqual([]);
  });

  test('frozenAgents names it, once, while it has a canary, also a paused one', () => {
    const canary = row({ state: 'canary', applied_ms: null, ended_ms: null });
    const paused = row({ state: 'paused', applied_ms: null, ended_ms: null });
    expect(frozenAgents([canary, paused], smallPolicy, AT_MS)).toEqual(['solo']);
  });
});
