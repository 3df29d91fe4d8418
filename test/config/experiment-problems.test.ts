import { describe, expect, test } from 'vitest';
import { compileSnapshot } from '../../src/config/compile.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { problemsOf } from '../../src/config/problems.ts';
import { runIdOf } from '../../src/core/ab/arm-policy.ts';
import { EMPTY_CONTROL, EMPTY_STATE } from '../../src/core/state.ts';
import {
  FILES,
  GATEWAY,
  inputOf,
  linesOf,
  load,
  makeFolder,
  makeHosts,
  testPlugins,
  testProviders,
} from './world.ts';

const EXPERIMENT = `experiments:
  warmth:
    agent: helper
    arms:
      control: { share: 0.5 }
      warm: { share: 0.5, set: { targets: [big], params: { top_p: 1 } } }
    metric: rating
    guardrails: { success: 0.2 }
`;

const withExperiment = (text = EXPERIMENT): Record<string, string> => ({
  'policies/gateway.yaml': GATEWAY + text,
});

describe('experiments of the policy', () => {
  test('are read with their defaults, and targets as weights', () => {
    const { policy } = load(withExperiment());
    expect(policy.experiments?.warmth).toEqual({
      agent: 'helper',
      unit: 'auto',
      arms: {
        control: { share: 0.5 },
        warm: { share: 0.5, set: { targets: { big: 1 }, params: { top_p: 1 } } },
      },
      metric: 'rating',
      also: [],
      guardrails: { success: 0.2 },
      stop: {
        alpha: 0.05,
        units_min: 100,
        hours_min: 24,
        units_max: 100_000,
        days_max: 14,
        min_effect: 0,
      },
      at_end: 'report',
      on_stop: 'control',
      run: 1,
    });
    expect(load({}).policy).not.toHaveProperty('experiments');
    const known = { providers: testProviders, plugins: testPlugins() };
    expect(problemsOf(policy, known)).toEqual([]);
  });

  test.each<[string, string | RegExp, string, RegExp]>([
    [
      'an unknown agent',
      'agent: helper',
      'agent: helpr',
      /agent: there is no agent helpr; did you/,
    ],
    ['no control', 'control: {', 'base: {', /arms: an arm must be called control/],
    [
      'a control that changes something',
      'share: 0.5 }\n',
      'share: 0.5, set: {} }\n',
      /sets nothing/,
    ],
    ['one arm alone', /\n {6}warm.*/, '', /needs control and at least one other/],
    ['shares above one', 'warm: { share: 0.5', 'warm: { share: 0.6', /add up to 1.1, more than 1/],
    ['a share of nothing', 'warm: { share: 0.5', 'warm: { share: 0', /warm.share: /],
    ['an arm without a change', /, set: \{ targets.*\} \}/, ' }', /what it changes is missing/],
    ['the name of another kind of arm', 'warm:', 'canary:', /another kind of arm/],
    [
      'a target that is none',
      'targets: [big]',
      'targets: [bug]',
      /set.targets.bug: there is no target bug; did you mean big/,
    ],
    ['no target at all', 'targets: [big]', 'targets: []', /an agent needs at least one target/],
    ['an unknown prompt', 'targets: [big]', 'prompt: tune', /set.prompt: there is no prompt tune/],
    ['an unknown version', 'targets: [big]', 'prompt: tone@9', /prompt tone has no version 9/],
    ['an unknown adapter', 'targets: [big]', 'adapter: uper', /no provider has the adapter uper/],
    ['a default for the messages', 'top_p: 1', 'messages: []', /messages is the client/],
    ['options of no plugin', 'targets: [big]', 'plugins: { cash: {} }', /no plugin cash/],
    [
      'options that a plugin refuses',
      'targets: [big]',
      'plugins: { cache: { ttl_ms: x } }',
      /ttl_ms/,
    ],
    ['an unknown knob', 'targets: [big]', 'promt: tone', /promt.*prompt/],
    ['an unknown metric', 'metric: rating', 'metric: ratings', /metric: /],
    ['an unknown guardrail', 'success: 0.2', 'sucess: 0.2', /guardrails/],
    ['a guardrail on what decides', 'success: 0.2', 'rating: 0.2', /rating decides/],
    ['cost without prices', 'success: 0.2', 'cost: 0.2', /cost needs the prices of big, small/],
    [
      'an arm that is none at the end',
      'metric: rating',
      'metric: rating\n    on_stop: cold',
      /no arm cold/,
    ],
    [
      'minimums beyond its end',
      'metric: rating',
      'metric: rating\n    stop: { units_min: 60, units_max: 100, hours_min: 100, days_max: 1 }',
      /units_min of each arm are more than units_max of all[\s\S]*longer than days_max/,
    ],
    [
      'a proposal of two changes',
      'metric: rating',
      'metric: rating\n    at_end: propose',
      /needs a change that one plan can hold/,
    ],
  ])('are refused with %s, and where', (_what, from, to, wanted) => {
    const text = EXPERIMENT.replace(from, to);
    expect(text).not.toBe(EXPERIMENT);
    const lines = linesOf(withExperiment(text));
    expect(lines.join('\n')).toMatch(wanted);
    for (const line of lines) expect(line).toMatch(/^gateway.yaml:(19|2\d|3\d):\d+ experiments/);
  });

  test('may measure cost where every target that may answer has a price', () => {
    const costly = GATEWAY + EXPERIMENT.replace('success: 0.2', 'cost: 0.2');
    expect(linesOf({ 'policies/gateway.yaml': costly }).join()).toMatch(/prices of big, small: /);
    const priced = costly
      .replace('model: big-1 }', 'model: big-1, price: { input_usd: 1, output_usd: 2 } }')
      .replace('only: true }', 'only: true, price: { input_usd: 0, output_usd: 0 } }');
    expect(
      load({ 'policies/gateway.yaml': priced }).policy.experiments?.warmth?.guardrails,
    ).toEqual({
      cost: 0.2,
    });
  });

  test('are refused where two are of one agent', () => {
    const twin = `  again:\n${EXPERIMENT.split('\n').slice(2).join('\n')}`;
    expect(linesOf(withExperiment(EXPERIMENT + twin)).join()).toMatch(
      /experiments.again.agent: agent helper has the experiment warmth already/,
    );
  });

  test('may propose what the agent is already, so that a winner can be adopted', () => {
    const adopted = EXPERIMENT.replace('targets: [big], params: { top_p: 1 }', 'prompt: tone');
    expect(
      load(withExperiment(`${adopted}    at_end: propose\n`)).policy.experiments,
    ).toBeDefined();
  });

  test('notes an arm that no target of is present, and serves nothing of it', () => {
    const input = inputOf(makeFolder({ ...FILES, ...withExperiment() }), { CLOUD_KEY: '' });
    const { notices } = loadPolicy(input);
    expect(notices.join()).toContain(
      'experiment warmth is not served: no target of its arm warm is present',
    );
  });
});

describe('compileAb', () => {
  const compile = (
    over: { state?: 'running' | 'stopped'; dropped?: string[]; id?: string } = {},
  ) => {
    const text = EXPERIMENT.replace('metric: rating', 'metric: rating\n    on_stop: warm');
    const input = inputOf(makeFolder({ ...FILES, ...withExperiment(text) }));
    const loaded = loadPolicy(input);
    const entry = loaded.policy.experiments?.warmth;
    if (!entry) throw new Error('the experiment is missing');
    const id = over.id ?? runIdOf('warmth', entry, loaded.policy.prompts);
    const { state = 'running', dropped = [] } = over;
    return compileSnapshot({
      loaded,
      state: { ...EMPTY_STATE, ab: [{ id, state, epoch: 3, dropped }] },
      control: EMPTY_CONTROL,
      environment: input.environment,
      plugins: testPlugins(),
      providers: testProviders,
      host: makeHosts(),
    });
  };

  test('makes a plan of each arm, control being the agent as it is', () => {
    const snapshot = compile();
    const ab = snapshot.ab.get('helper');
    expect(ab?.arms.map(({ name, share }) => [name, share])).toEqual([
      ['control', 0.5],
      ['warm', 0.5],
    ]);
    const [control, warm] = ab?.arms ?? [];
    expect(control).toMatchObject({ plan: null, permit: null });
    expect(warm?.plan?.view.targets.map(({ name }) => name)).toEqual(['big']);
    expect(warm?.plan?.view.entry.params).toEqual({ top_p: 1 });
    expect(warm?.plan?.version).not.toBe(snapshot.version);
    expect(warm?.permit).toMatchObject({ id: `${ab?.run}/warm`, epoch: 3 });
    expect(snapshot.agents.get('helper')?.view.targets).toHaveLength(2);
  });

  test('serves nobody a run that the worker has not opened', () => {
    expect(compile({ id: 'warmth@00000000' }).ab.size).toBe(0);
  });

  test('leaves out the plan of a dropped arm, and serves a stopped one’s last arm to all', () => {
    expect(compile({ dropped: ['warm'] }).ab.get('helper')?.arms[1]).toMatchObject({ plan: null });
    const stopped = compile({ state: 'stopped' }).ab.get('helper');
    expect(stopped?.arms).toEqual([]);
    expect(stopped?.stopped?.view.entry.params).toEqual({ top_p: 1 });
  });
});
