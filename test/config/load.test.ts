import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadPolicy } from '../../src/config/load.ts';
import { sha256 } from '../../src/core/canonical.ts';
import { versionOf } from '../../src/core/fold.ts';
import {
  GATEWAY,
  gatewayWith,
  inputOf,
  linesOf,
  load,
  makeFolder,
  ORACLE,
  ref,
  TONE,
  thrownBy,
} from './world.ts';

const KEY = `"${ref('CLOUD_KEY')}"`;

describe('loadPolicy', () => {
  test('normalises lists with names, even weights, prompts and files', () => {
    const { policy, contents, notices } = load();
    expect(policy.agents.default?.targets).toEqual({ big: 1, small: 1 });
    expect(policy.agents.default?.adapter).toBe('none');
    expect(policy.plugins.order).toEqual(['cache', 'plain']);
    expect(policy.plugins.by.cache).toEqual({
      use: 'cache',
      on_error: 'skip',
      budget_ms: 50,
      options: { ttl_ms: 7 },
    });
    const digest = policy.prompts.tone?.versions['2'] ?? '';
    expect(contents[digest]?.ops).toEqual([{ op: 'system.append', text: 'Be brief.' }]);
    expect(policy.files['models/small.gguf']).toBe(sha256('weights'));
    expect(policy.limits.body_bytes_max).toBe(4 * 1024 * 1024);
    expect(policy.capture.feedback_text).toBe(true);
    expect(policy.pipeline.stages.by.collect).toEqual({ window_hours: 24, event_limit: 100_000 });
    expect(notices).toEqual([]);
  });

  test('names a misspelled key with line, column and the key that was meant', () => {
    expect(linesOf(gatewayWith('{ ttl_ms: 7 }', '{ ttl_s: 7 }'))).toEqual([
      'gateway.yaml:15:30 plugins.cache.options.ttl_s: unknown key; did you mean ttl_ms?',
    ]);
    expect(linesOf(gatewayWith('    prompt: tone', '    promt: tone'))).toEqual([
      'gateway.yaml:11:5 agents.helper.promt: unknown key; did you mean prompt?',
    ]);
  });

  test('reports all problems of all files at once, each once', () => {
    const lines = linesOf({
      'policies/gateway.yaml': GATEWAY.replace('provider: cloud', 'provider: clod')
        .replace('mode: fast', 'mood: fast')
        .replace('fallback_only: true', 'fallback_only: maybe'),
      'policies/oracle_policies.yaml': 'version: 1\nsafety: { min_confidence: 7 }\n',
      'policies/prompts/tone.yaml': TONE.replace('production: 1', 'production: 9'),
    });
    expect(lines).toEqual([
      'gateway.yaml:6:20 targets.big.provider: there is no provider clod; did you mean cloud?',
      'gateway.yaml:7:44 targets.small.fallback_only: expected boolean, got string',
      'gateway.yaml:11:13 agents.helper.prompt: prompt tone has no label production: ' +
        'write tone@<version>',
      'gateway.yaml:12:25 agents.helper.plugins.cache.mood: unknown key; did you mean mode?',
      'oracle_policies.yaml:2:27 safety.min_confidence: expected number to be <=1',
      'prompts/tone.yaml:6:23 labels.production: there is no version 9',
    ]);
  });

  test('carries every problem as data for whoever shows it', () => {
    const error = thrownBy(() => load(gatewayWith('version: 1', 'version: 2')));
    expect(error.code).toBe('policy_invalid');
    expect(error.details.problems).toEqual([
      expect.objectContaining({ file: 'gateway.yaml', line: 1, column: 10, path: 'version' }),
    ]);
  });

  test('refuses a key that stands in the file, without repeating it', () => {
    const text = linesOf(gatewayWith(KEY, 'sk-very-secret')).join('\n');
    expect(text).toMatch(/gateway.yaml:3:34 providers.cloud.api_key: keys do not belong in policy/);
    expect(text).not.toContain('sk-very-secret');
    expect(linesOf(gatewayWith(KEY, `"${ref('CLOUD_KEY:-sk-default')}"`)).join()).not.toContain(
      'sk-default',
    );
  });

  test('leaves secrets as references, so that they are in no version', () => {
    const one = load({}, { CLOUD_KEY: 'sk-one' });
    const two = load({}, { CLOUD_KEY: 'sk-two' });
    expect(JSON.stringify([one.policy, ...one.origins])).not.toContain('sk-one');
    expect(versionOf(one.policy)).toBe(versionOf(two.policy));
    expect(one.policy.providers.cloud?.api_key).toBe(ref('CLOUD_KEY'));
  });

  test('says which provider is absent and why, and keeps its targets in the policy', () => {
    const { policy, notices } = load({}, { CLOUD_KEY: '' });
    expect(notices).toEqual([
      'provider cloud is absent: CLOUD_KEY is not set (and so are its targets: big)',
    ]);
    expect(policy.targets.big).toBeDefined();
  });

  test('expands variables in strings, with defaults, and asks for those without', () => {
    expect(load().policy.providers.cloud?.base_url).toBe('https://cloud.test/v1');
    const set = load({}, { CLOUD_URL: 'http://other.test' });
    expect(set.policy.providers.cloud?.base_url).toBe('http://other.test');
    const lines = linesOf(gatewayWith(ref('CLOUD_URL:-https://cloud.test/v1'), ref('CLOUD_URL')));
    expect(lines[0]).toMatch(
      /gateway.yaml:3:60 providers.cloud.base_url: CLOUD_URL is not set.*only api_key may/,
    );
  });

  test('never lets a variable become structure', () => {
    const evil = load(gatewayWith('model: big-1', `model: "${ref('NAME')}"`), {
      NAME: 'x }\nagents: { evil: { targets: [] } }',
    });
    expect(Object.keys(evil.policy.agents)).toEqual(['helper', 'default']);
  });

  test('does not expand prompts', () => {
    const { contents } = load({
      'policies/prompts/tone.yaml': TONE.replace('Be kind.', `"Say ${ref('NAME')}."`),
    });
    expect(JSON.stringify(contents)).toContain(`Say ${ref('NAME')}.`);
  });

  test('names a model that is not there, and where it was looked for', () => {
    const [line] = linesOf({ 'models/small.gguf': null });
    expect(line).toMatch(
      /^gateway.yaml:4:32 providers.local.model: models\/small.gguf does not exist \(looked for \//,
    );
    const [adapter] = linesOf({ 'models/upper.gguf': null });
    expect(adapter).toMatch(
      /^gateway.yaml:4:70 providers.local.adapters.upper: models\/upper.gguf/,
    );
  });

  test('a model’s bytes are part of the version', () => {
    const other = load({ 'models/small.gguf': 'other weights' });
    expect(versionOf(other.policy)).not.toBe(versionOf(load().policy));
    expect(other.source_sha256).not.toBe(load().source_sha256);
  });

  test('loads the seed’s form of oracle_policies.yaml', () => {
    const { policy, notices } = load({
      'policies/oracle_policies.yaml':
        'thresholds:\n  performance:\n    response_time: { warning_threshold_ms: 900 }\n' +
        '  cost: { savings_target: 0.2 }\n',
    });
    expect(policy.oracle.thresholds.performance.response_time).toEqual({
      warning_threshold_ms: 900,
      critical_threshold_ms: 3000,
    });
    expect(policy.oracle.thresholds).not.toHaveProperty('cost');
    expect(notices).toEqual(['thresholds.cost is read, but nothing obeys it yet']);
  });

  test('goes without pipeline.yaml and oracle_policies.yaml, and says so', () => {
    const { policy, notices } = load({
      'policies/pipeline.yaml': null,
      'policies/oracle_policies.yaml': null,
      'policies/oracle-policies.yaml': ORACLE,
    });
    expect(policy.oracle.safety.canary.share).toBe(0.05);
    expect(policy.oracle.bounds).toEqual({});
    expect(notices.join('\n')).toMatch(/oracle-policies.yaml is not read; did you mean oracle_pol/);
  });

  test('refuses a missing gateway.yaml and a missing directory', () => {
    expect(linesOf({ 'policies/gateway.yaml': null })[0]).toMatch(/gateway.yaml does not exist/);
    const input = inputOf(makeFolder());
    expect(thrownBy(() => loadPolicy({ ...input, dir: '/nowhere/at/all' })).message).toMatch(
      /the policies directory does not exist/,
    );
  });

  test('any order of keys gives the same version, whatever stands in the file', () => {
    const agent = fc.record({
      targets: fc.constantFrom({ big: 1, small: 2 }, { small: 2, big: 1 }),
      params: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer(), { maxKeys: 4 }),
    });
    const agents = fc.dictionary(fc.stringMatching(/^[a-z]{2,6}$/), agent, {
      minKeys: 1,
      maxKeys: 4,
    });
    const base = makeFolder();
    const path = join(base, 'policies/gateway.yaml');
    const head = GATEWAY.slice(0, GATEWAY.indexOf('agents:'));
    const versionOfAgents = (value: unknown): string => {
      writeFileSync(path, `${head}${stringify({ agents: value })}`);
      return versionOf(loadPolicy(inputOf(base)).policy);
    };
    fc.assert(
      fc.property(agents, (value) => {
        expect(versionOfAgents(reversed(value))).toBe(versionOfAgents(value));
      }),
      { numRuns: 25 },
    );
  });
});

function reversed(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([key, member]) => [key, reversed(member)] as const);
  return Object.fromEntries(members.reverse());
}
