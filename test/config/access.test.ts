import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../src/config/problems.ts';
import { GATEWAY, linesOf, load, ref, testPlugins, testProviders } from './world.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const withAccess = (access: string) => ({
  'policies/gateway.yaml': `${GATEWAY}access: ${access}\n`,
});
const keys = (...entries: string[]) => withAccess(`{ mode: keys, keys: [${entries.join(', ')}] }`);

describe('access', () => {
  test('keys are held by their hashes, with what they may do', () => {
    const files = keys(
      `{ name: ci, sha256: ${A.toUpperCase()}, tenant: acme, agents: [helper] }`,
      `{ name: app, sha256: "${ref('APP_SHA')}", asserts: [user] }`,
    );
    const { policy, origins } = load(files, { APP_SHA: B });
    expect(policy.access).toEqual({
      mode: 'keys',
      keys: {
        [A]: { name: 'ci', tenant: 'acme', agents: ['helper'], asserts: [] },
        [B]: { name: 'app', tenant: 'default', agents: null, asserts: ['user'] },
      },
    });
    expect(problemsOf(policy, { providers: testProviders, plugins: testPlugins() })).toEqual([]);
    expect(origins.get(`/access/keys/${A}/tenant`)).toMatch(/^gateway.yaml:\d+:\d+$/);
  });

  test('a gateway with keys may listen anywhere, and a policy without a word is open', () => {
    const files = keys(`{ name: ci, sha256: ${A} }`);
    expect(load(files, { HIVE_HOST: '0.0.0.0' }).policy.access.mode).toBe('keys');
    expect(load({}).policy.access).toEqual({ mode: 'open', keys: {} });
  });

  test.each([
    [`{ name: ci, sha256: sk-secret }`, /access.keys.ci.sha256: not a SHA-256 in hex/],
    [`{ name: ci, sha256: ${A}, agents: [helpr] }`, /no agent helpr; did you mean helper\?/],
    [`{ name: ci, sha256: ${A}, agents: [] }`, /access.keys.ci.agents/],
    [`{ name: ci, sha256: ${A}, key: x }`, /access.keys.ci.key/],
    [`{ sha256: ${A} }`, /name: missing/],
    [`{ name: ci, sha256: "${ref('UNSET')}" }`, /UNSET is not set/],
    [
      `{ name: ci, sha256: ${A} }, { name: app, sha256: ${A.toUpperCase()} }`,
      /the keys ci and app share a name or a hash/,
    ],
    [`{ name: ci, sha256: ${A} }, { name: ci, sha256: ${B} }`, /share a name or a hash/],
  ])('the keys %s are refused, with where', (entries, wanted) => {
    const lines = linesOf(keys(entries));
    expect(lines.join('\n')).toMatch(wanted);
    expect(lines.join('\n')).toMatch(/gateway.yaml:17:/);
  });
});
