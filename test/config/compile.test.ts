import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompileInput, compileSnapshot } from '../../src/config/compile.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { versionOf } from '../../src/core/fold.ts';
import type { Row, RowState } from '../../src/core/oracle.ts';
import { EMPTY_CONTROL, EMPTY_STATE, type Experiment, type State } from '../../src/core/state.ts';
import {
  adapterRow,
  FILES,
  GATEWAY,
  inputOf,
  type Made,
  makeFolder,
  makeHosts,
  type TestProvider,
  temperatureRow,
  testPlugins,
  testProviders,
  thrownBy,
} from './world.ts';

interface Compiling {
  readonly files?: Readonly<Record<string, string | null>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly rows?: readonly Row[];
  readonly experiments?: readonly Experiment[];
  readonly withdrawn?: readonly string[];
  readonly made?: Made[];
}

function compileInput(options: Compiling = {}): CompileInput {
  const input = inputOf(makeFolder({ ...FILES, ...options.files }), options.env);
  const { rows = [], experiments = [], withdrawn = [] } = options;
  const state: State = { ...EMPTY_STATE, epoch: 4, rows, experiments };
  return {
    loaded: loadPolicy(input),
    state,
    control: { frozen: false, withdrawn },
    environment: input.environment,
    plugins: testPlugins(options.made),
    providers: testProviders,
    host: makeHosts(),
  };
}

const compile = (options: Compiling = {}) => compileSnapshot(compileInput(options));

const canary: Experiment = {
  id: 'exp_1',
  agent: 'helper',
  row: 'mut_1',
  state: 'canary',
  epoch: 1,
};

describe('compileSnapshot', () => {
  test('compiles every agent with its present targets, prompt and plugins in order', () => {
    const snapshot = compile();
    const plan = snapshot.agents.get('helper');
    expect(plan?.view.targets).toEqual([
      { name: 'big', weight: 0.8, fallback_only: false, adapters: [] },
      { name: 'small', weight: 0.2, fallback_only: true, adapters: ['upper'] },
    ]);
    expect(plan?.view.prompt).toMatchObject({ name: 'tone', version: 1 });
    expect(plan?.view.prompt?.content.ops).toEqual([{ op: 'system.append', text: 'Be kind.' }]);
    expect(plan?.plugins.map(({ id }) => id)).toEqual(['cache', 'plain']);
    expect(plan?.version).toBe(snapshot.version);
    expect(snapshot.epoch).toBe(4);
    expect(snapshot.agents.get('default')?.view.prompt).toBeNull();
  });

  test('gives a target its provider, its model (or the file’s name) and its time-outs', () => {
    const { targets } = compile({
      files: {
        'policies/gateway.yaml': GATEWAY.replace(
          'model: big-1',
          'model: big-1, timeouts: { idle_ms: 9 }',
        ),
      },
    });
    expect(targets.get('small')?.model).toBe('small');
    expect(targets.get('big')?.model).toBe('big-1');
    expect(targets.get('big')?.provider_name).toBe('cloud');
    expect(targets.get('big')?.timeouts).toEqual({
      connect_ms: 2000,
      first_token_ms: 15_000,
      idle_ms: 9,
      total_ms: 600_000,
    });
  });

  test('gives the secret to the provider alone', () => {
    const snapshot = compile({ env: { CLOUD_KEY: 'sk-only-here' } });
    const provider = snapshot.targets.get('big')?.provider as TestProvider;
    expect(provider.made_with).toMatchObject({ api_key: 'sk-only-here' });
    expect(JSON.stringify(snapshot.policy)).not.toContain('sk-only-here');
  });

  test('drops the targets of an absent provider, and keeps an agent that has none left', () => {
    const only = GATEWAY.replace('[big, small]', '[big]');
    const snapshot = compile({ env: {}, files: { 'policies/gateway.yaml': only } });
    expect([...snapshot.targets.keys()]).toEqual(['small']);
    expect(snapshot.agents.get('helper')?.view.targets.map(({ name }) => name)).toEqual(['small']);
    expect(snapshot.agents.get('default')?.view.targets).toEqual([]);
    expect(Object.keys(snapshot.policy.targets)).toEqual(['big', 'small']);
  });

  test('gives plugins the entry’s options with the agent’s over them', () => {
    const made: Made[] = [];
    compile({ made });
    expect(made.map(({ options, host }) => [host.agent, options])).toEqual([
      ['helper', { ttl_ms: 7, mode: 'fast' }],
      ['default', { ttl_ms: 7 }],
    ]);
  });

  test('folds applied rows only, and a withdrawn one leaves the version that was before it', () => {
    const plain = compile();
    const rows = [adapterRow(), temperatureRow(0.5)];
    const both = compile({ rows });
    expect(both.agents.get('helper')?.view.entry).toMatchObject({
      adapter: 'upper',
      params: { temperature: 0.5 },
    });
    expect(both.version).not.toBe(plain.version);
    const without = compile({ rows, withdrawn: ['rollback_1'] });
    expect(without.version).toBe(compile({ rows: [temperatureRow(0.5)] }).version);
    expect(compile({ rows, withdrawn: ['rollback_1', 'rollback_2'] }).version).toBe(plain.version);
    const states: RowState[] = ['planned', 'canary', 'paused', 'withdrawn', 'rejected'];
    for (const state of states) {
      expect(compile({ rows: [adapterRow({ state })] }).version).toBe(plain.version);
    }
  });

  test('a withdrawn key takes later rows over the same paths with it', () => {
    const first = adapterRow();
    const second = adapterRow({
      seq: 5,
      id: 'mut_5',
      rollback_key: 'rollback_5',
      before: { '/agents/helper/adapter': 'upper' },
      patch: { agents: { helper: { adapter: 'none' } } },
    });
    const snapshot = compile({ rows: [first, second], withdrawn: ['rollback_1'] });
    expect(snapshot.version).toBe(compile().version);
    expect(snapshot.superseded).toEqual([]);
  });

  test('reports a row that an edit of the YAML has overtaken', () => {
    const edited = GATEWAY.replace('prompt: tone', 'prompt: tone\n    adapter: upper');
    const snapshot = compile({
      files: { 'policies/gateway.yaml': edited },
      rows: [adapterRow(), temperatureRow(0.5)],
    });
    expect(snapshot.superseded.map(({ id }) => id)).toEqual(['mut_1']);
    expect(snapshot.policy.agents.helper?.params).toEqual({ temperature: 0.5 });
  });

  test('supersedes a row whose options a plugin’s schema refuses, and serves the rest', () => {
    const pointer = '/agents/helper/plugins/cache/mode';
    const row = adapterRow({
      touches: [pointer],
      before: { [pointer]: 'fast' },
      patch: { agents: { helper: { plugins: { cache: { mode: 4 } } } } },
    });
    const bounds =
      'bounds:\n  /agents/*/plugins/cache/mode: { min: 0, max: 9 }\n' +
      '  /agents/*/params/temperature: { max: 1 }\n';
    const snapshot = compile({
      files: { 'policies/oracle_policies.yaml': bounds },
      rows: [row, temperatureRow(0.25)],
    });
    expect(snapshot.superseded).toEqual([
      { id: 'mut_1', reason: expect.stringMatching(/plugins.cache.mode: expected string/) },
    ]);
    expect(snapshot.policy.agents.helper?.params).toEqual({ temperature: 0.25 });
  });

  test('supersedes a row whose patch writes more than it says it touches', () => {
    const row = adapterRow({
      patch: { agents: { helper: { adapter: 'upper' } }, access: { mode: 'none' } },
    });
    const snapshot = compile({ rows: [row] });
    expect(snapshot.superseded[0]?.reason).toMatch(/writes \/access\/mode, outside its touches/);
    expect(snapshot.version).toBe(compile().version);
  });

  test('compiles an arm for a live canary, with a version of its own', () => {
    const made: Made[] = [];
    const rows = [temperatureRow(0.5), adapterRow({ state: 'canary' })];
    const snapshot = compile({ made, rows, experiments: [canary] });
    const arm = snapshot.experiments.get('helper');
    expect(arm?.experiment).toBe(canary);
    expect(arm?.plan.view.entry).toMatchObject({ adapter: 'upper', params: { temperature: 0.5 } });
    expect(snapshot.agents.get('helper')?.view.entry.adapter).toBe('none');
    expect(arm?.plan.version).toBe(compile({ rows: [temperatureRow(0.5), adapterRow()] }).version);
    expect(arm?.plan.version).not.toBe(snapshot.version);
  });

  test('shares a plugin’s instance between arm and main plan where options are the same', () => {
    const pointer = '/agents/helper/plugins/cache/ttl_ms';
    const row = adapterRow({
      state: 'canary',
      touches: [pointer],
      before: { [pointer]: null },
      patch: { agents: { helper: { plugins: { cache: { ttl_ms: 50 } } } } },
    });
    const snapshot = compile({ rows: [row], experiments: [canary] });
    const [mainCache, mainPlain] = snapshot.agents.get('helper')?.plugins ?? [];
    const [armCache, armPlain] = snapshot.experiments.get('helper')?.plan.plugins ?? [];
    expect(armPlain).toBe(mainPlain);
    expect(armCache).not.toBe(mainCache);
  });

  test('omits a canary that is paused, withdrawn by hand, or no longer fits', () => {
    const rows = [adapterRow({ state: 'canary' })];
    expect(compile({ rows, experiments: [{ ...canary, state: 'paused' }] }).experiments.size).toBe(
      0,
    );
    const braked = compile({ rows, experiments: [canary], withdrawn: ['rollback_1'] });
    expect(braked.experiments.size).toBe(0);
    expect(braked.superseded).toEqual([]);
    const stale = [adapterRow({ state: 'canary', before: { '/agents/helper/adapter': 'x' } })];
    const overtaken = compile({ rows: stale, experiments: [canary] });
    expect(overtaken.experiments.size).toBe(0);
    expect(overtaken.superseded).toEqual([
      { id: 'mut_1', reason: '/agents/helper/adapter is "none", no longer "x"' },
    ]);
    expect(compile({ experiments: [canary] }).superseded).toHaveLength(1);
  });

  test('freezes what it made', () => {
    const snapshot = compile();
    expect(Object.isFrozen(snapshot)).toBe(true);
    expect(Object.isFrozen(snapshot.policy.agents.helper?.targets)).toBe(true);
    expect(Object.isFrozen(snapshot.agents.get('helper')?.view.targets[0])).toBe(true);
  });

  test('throws policy_invalid where a plugin of the YAML refuses its options', () => {
    const files = { 'policies/gateway.yaml': GATEWAY.replace('ttl_ms: 7', 'ttl_ms: 13') };
    const error = thrownBy(() => compile({ files }));
    expect(error.code).toBe('policy_invalid');
    expect(error.message).toBe('plugins.cache of agent helper: 13 is refused');
  });

  test('never throws on rows, whatever they hold, and the version is that of its policy', () => {
    const input = compileInput();
    const json = fc.jsonValue({ maxDepth: 3 });
    const patch = fc.oneof(
      fc.record({ agents: fc.record({ helper: json }) }),
      fc.record({ agents: fc.record({ helper: fc.record({ targets: json }) }) }),
      fc.record({ agents: fc.record({ helper: fc.record({ plugins: json }) }) }),
      fc.dictionary(fc.string(), json),
    );
    const pointer = fc.oneof(
      fc.constantFrom(
        '/agents/helper/adapter',
        '/agents/helper/targets',
        '/agents/helper/targets/big',
        '/agents/helper/prompt',
        '/agents/helper',
        '',
      ),
      fc.string(),
    );
    const row = fc.record({
      seq: fc.nat(20),
      id: fc.constantFrom('a', 'b', 'c'),
      rollback_key: fc.constantFrom('ka', 'kb'),
      type: fc.constantFrom(
        'LORA_APPLY' as const,
        'ROUTE_CHANGE' as const,
        'PROMPT_PATCH' as const,
      ),
      agent: fc.constantFrom('helper', 'default', 'ghost', '__proto__'),
      state: fc.constantFrom('applied' as const, 'canary' as const),
      touches: fc.array(pointer, { maxLength: 3 }),
      before: fc.constant({}),
      patch,
    });
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 5 }),
        fc.subarray(['ka', 'kb', 'kc']),
        (rows, withdrawn) => {
          const experiments = [{ ...canary, row: 'a' }];
          const state = { ...input.state, rows: rows as readonly Row[], experiments };
          const control = { ...EMPTY_CONTROL, withdrawn };
          const snapshot = compileSnapshot({ ...input, state, control });
          expect(versionOf(snapshot.policy)).toBe(snapshot.version);
          expect([...snapshot.agents.keys()]).toEqual(['helper', 'default']);
        },
      ),
      { numRuns: 200 },
    );
  });
});
