import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../src/config/problems.ts';
import { mergePatch } from '../../src/core/pointer.ts';
import type { Policy } from '../../src/core/policy.ts';
import { load, testPlugins, testProviders } from './world.ts';

describe('problemsOf', () => {
  const known = { providers: testProviders, plugins: testPlugins() };

  test('finds nothing wrong with what was loaded', () => {
    expect(problemsOf(load().policy, known)).toEqual([]);
  });

  test.each([
    [{ agents: { helper: { adapter: 'nope' } } }, /agents.helper.adapter: no provider has/],
    [{ agents: { helper: { targets: { big: -1 } } } }, /agents.helper.targets/],
    [{ agents: { helper: { targets: { ghost: 1 } } } }, /no target ghost/],
    [{ agents: { helper: { plugins: { cache: { ttl_ms: 'x' } } } } }, /plugins.cache.ttl_ms/],
    [{ plugins: { by: { cache: null } } }, /plugins/],
    [{ plugins: null }, /a part of it is missing/],
    [{ oracle: { safety: { canary: { share: 4 } } } }, /oracle.safety.canary.share/],
  ])('says what a patch %j would break', (patch, wanted) => {
    const after = mergePatch(load().policy, patch as never) as unknown as Policy;
    expect(problemsOf(after, known).join('\n')).toMatch(wanted);
  });
});
