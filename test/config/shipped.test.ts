import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CompileInput, compileSnapshot } from '../../src/config/compile.ts';
import { readEnvironment } from '../../src/config/env.ts';
import { policySchemas } from '../../src/config/json-schema.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { policyReference } from '../../src/config/reference.ts';
import { EMPTY_CONTROL, EMPTY_STATE } from '../../src/core/state.ts';
import { gates } from '../../src/oracle/gates/index.ts';
import { plugins } from '../../src/plugins/index.ts';
import { providers } from '../../src/providers/index.ts';
import { adapterRow, makeHosts } from './world.ts';

const root = join(import.meta.dirname, '../..');
const dir = join(root, 'policies');

function shipped(env: Readonly<Record<string, string>>): CompileInput {
  const environment = readEnvironment(env);
  const loaded = loadPolicy({ dir, environment, providers, plugins, gates: [...gates.keys()] });
  const host = makeHosts();
  const state = EMPTY_STATE;
  return { loaded, state, control: EMPTY_CONTROL, environment, plugins, providers, host };
}

describe('the shipped policies', () => {
  test('leave a machine without keys the demo model alone, and say why', () => {
    const input = shipped({});
    const snapshot = compileSnapshot(input);
    expect([...snapshot.targets.keys()]).toEqual(['demo']);
    expect(snapshot.targets.get('demo')?.model).toBe('echo');
    for (const agent of ['helpful_assistant', 'default']) {
      const targets = snapshot.agents.get(agent)?.view.targets;
      expect(targets?.map(({ name }) => name)).toEqual(['demo']);
    }
    expect(input.loaded.notices).toHaveLength(2);
  });

  test('serve the providers whose keys are set, the demo model as fallback', () => {
    const keys = { OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' };
    const snapshot = compileSnapshot(shipped(keys));
    expect(snapshot.targets.get('mini')?.provider.base_url).toBe('https://api.openai.com/v1');
    expect(snapshot.targets.get('sonnet')?.provider.base_url).toBe('https://api.anthropic.com/v1');
    const demo = snapshot.agents.get('default')?.view.targets.find(({ name }) => name === 'demo');
    expect(demo).toMatchObject({ fallback_only: true, weight: 0, adapters: ['upper', 'reverse'] });
  });

  test('let the adapter `upper` be applied and `reverse` not', () => {
    const input = shipped({});
    const row = (adapter: string) =>
      adapterRow({
        agent: 'helpful_assistant',
        touches: ['/agents/helpful_assistant/adapter'],
        before: { '/agents/helpful_assistant/adapter': 'none' },
        patch: { agents: { helpful_assistant: { adapter } } },
      });
    const fold = (adapter: string) =>
      compileSnapshot({ ...input, state: { ...EMPTY_STATE, rows: [row(adapter)] } });
    expect(fold('upper').agents.get('helpful_assistant')?.view.entry.adapter).toBe('upper');
    expect(fold('reverse').superseded[0]?.reason).toMatch(/adapter "reverse" is not allowed/);
  });
});

describe('what is generated from the schemas', () => {
  test.each(Object.entries(policySchemas()))(
    'policies/%s is fresh (npm run schemas)',
    (name, schema) => {
      expect(JSON.parse(readFileSync(join(dir, name), 'utf8'))).toEqual(
        JSON.parse(JSON.stringify(schema)),
      );
    },
  );

  test('docs/policies.md is fresh (npm run schemas)', () => {
    expect(readFileSync(join(root, 'docs/policies.md'), 'utf8')).toBe(policyReference());
  });
});

describe('.env.example', () => {
  const lines = readFileSync(join(root, '.env.example'), 'utf8').split('\n');

  test('has every line commented out', () => {
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  test('shows defaults only: to take every # away changes no switch and no safety value', () => {
    const shown = lines.flatMap((line) => {
      const [, name, value] = /^# ([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    });
    const all = readEnvironment(Object.fromEntries(shown));
    const none = readEnvironment({});
    expect(all.switches).toEqual(none.switches);
    expect([all.port, all.admin_port, all.bus_max, all.host]).toEqual([
      8091,
      8092,
      10_000,
      none.host,
    ]);
    const load = (environment: typeof all) =>
      loadPolicy({ dir, environment, providers, plugins }).policy;
    expect(load(all)).toEqual(load(none));
  });
});
