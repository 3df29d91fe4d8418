import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/config/load.ts';
import { providers as realProviders } from '../../src/providers/index.ts';
import { FILES, gatewayWith, inputOf, linesOf, load, makeFolder, TONE, thrownBy } from './world.ts';

describe('policyProblems', () => {
  test.each([
    [
      'an unknown target',
      '[big, small]',
      '[bigg, small]',
      /agents.default.targets.* no target bigg; did you mean big\?/,
    ],
    [
      'an unknown fallback',
      'prompt: tone',
      'fallbacks: { any: [big, smal] }',
      /agents.helper.fallbacks.any.1: there is no target smal; did you mean small\?/,
    ],
    [
      'an unknown provider definition',
      'use: remote',
      'use: remoet',
      /5?:.*no provider called remoet; did you mean remote\?/,
    ],
    [
      'an unknown plugin',
      '{ use: plain }',
      '{ use: plane }',
      /plugins.plane.use: there is no plugin called plane; did you mean plain\?/,
    ],
    ['a plugin named twice', '{ use: plain }', '{ use: cache }', /two plugins have the id cache/],
    [
      'an unknown prompt',
      'prompt: tone',
      'prompt: tune',
      /agents.helper.prompt: there is no prompt tune; did you mean tone\?/,
    ],
    ['an unknown prompt version', 'prompt: tone', 'prompt: tone@7', /prompt tone has no version 7/],
    [
      'an unknown adapter',
      'prompt: tone',
      'adapter: uper',
      /no provider has the adapter uper; did you mean upper\?/,
    ],
    [
      'options of a plugin that is not listed',
      'cache: { mode',
      'cash: { mode',
      /agents.helper.plugins.cash: there is no plugin cash; did you mean cache\?/,
    ],
    [
      'a misspelled key that any provider may have',
      'use: remote,',
      'use: remote, netwrok: private,',
      /providers.cloud.netwrok: unknown key; did you mean network\?/,
    ],
    [
      'a misspelled bound of kept calls',
      'version: 1\n',
      'version: 1\ncapture: { bodies: { mode: on, shaer: 0.1 } }\n',
      /2:\d+ capture.bodies.shaer: unknown key; did you mean share\?/,
    ],
    [
      'a word that keeps no calls',
      'version: 1\n',
      'version: 1\ncapture: { bodies: onn }\n',
      /capture.bodies: expected off, redacted, on or a map/,
    ],
    [
      'a misspelled key of a hedge',
      'version: 1\n',
      'version: 1\nresilience: { hedge: { after: 800 } }\n',
      /2:\d+ resilience.hedge.after: unknown key; known: after_ms/,
    ],
    [
      'a misspelled guardrail',
      'version: 1\n',
      'version: 1\nexperiments: { t: { guardrails: { latenyc: 1 } } }\n',
      /experiments.t.guardrails.latenyc: unknown key; did you mean latency\?/,
    ],
    ['a name that is none', '  default: {', '  De fault: {', /agents.De fault: not a name/],
    [
      'a target without a model',
      'model: big-1',
      'fallback_only: false',
      /targets.big: missing: model/,
    ],
    [
      'an agent without targets',
      '[big, small]',
      '{}',
      /agents.default.targets: an agent needs at least one target/,
    ],
    [
      'a default for the messages',
      'prompt: tone',
      'params: { messages: [] }',
      /params.messages: messages is the client/,
    ],
    [
      'a missing key',
      '  big: { provider: cloud, model',
      '  big: { model',
      /targets.big.provider: missing: expected a string/,
    ],
    [
      'a wrong kind of targets',
      '[big, small]',
      'big',
      /agents.default.targets: expected a map or a list/,
    ],
  ])('refuses %s', (_what, from, to, wanted) => {
    expect(linesOf(gatewayWith(from, to)).join('\n')).toMatch(wanted);
  });

  test.each([
    ['knobs.x: {}', /not a JSON pointer/],
    ['/providers/cloud/base_url: {}', /only knobs of agents/],
    ['/agents/helpr/adapter: {}', /no agent helpr; did you mean helper/],
    ['/agents/*/adaptor: {}', /no knob adaptor; did you mean adapter/],
    ['/agents/*/params: {}', /name what below params may move/],
    ['/agents/*/targets: { add_from: [bog] }', /no target bog; did you mean big/],
    ['/agents/*/adapter: { allow: [lower] }', /no provider has the adapter lower/],
    ['/agents/*/prompt: { candidates: [tone@3] }', /prompt tone has no version 3/],
    ['/agents/*/params/top_p: { min: 2, max: 1 }', /min 2 exceeds max 1/],
  ])('refuses the bound %s', (bound, wanted) => {
    const text = linesOf({ 'policies/oracle_policies.yaml': `bounds:\n  ${bound}\n` }).join('\n');
    expect(text).toMatch(wanted);
    expect(text).toMatch(/^oracle_policies.yaml:2:/);
  });

  test('refuses unknown gates where it is told which there are', () => {
    const folder = makeFolder({ ...FILES, 'policies/oracle_policies.yaml': 'gates: [shema]\n' });
    const run = () => loadPolicy({ ...inputOf(folder), gates: ['schema', 'policy'] });
    expect(thrownBy(run).message).toMatch(/there is no gate shema; did you mean schema\?/);
  });

  test('refuses two prompts of one name', () => {
    expect(linesOf({ 'policies/prompts/zone.yaml': TONE })[0]).toBe(
      'prompts/zone.yaml:2:7 name: prompts/tone.yaml has this name as well',
    );
  });

  test('refuses open access on an address that others can reach', () => {
    expect(linesOf({}, { HIVE_HOST: '0.0.0.0' }).join()).toMatch(
      /access.mode: open access is refused on 0.0.0.0/,
    );
    expect(load({}, { HIVE_HOST: '::1' }).policy.access.mode).toBe('open');
  });
});

describe('the network of a provider', () => {
  const upstreamAt = (url: string, more = '') => ({
    'policies/gateway.yaml': `version: 1
providers: { gpu: { use: openai, base_url: "${url}"${more} } }
targets: { big: { provider: gpu, model: m } }
agents: { default: { targets: [big] } }
`,
    'policies/oracle_policies.yaml': null,
    'policies/prompts/tone.yaml': null,
  });
  const loadReal = (files: Readonly<Record<string, string | null>>) =>
    loadPolicy({ ...inputOf(makeFolder({ ...FILES, ...files })), providers: realProviders });

  test.each(['http://127.0.0.1:8000/v1', 'http://localhost/v1', 'http://[fd00::1]/v1'])(
    'refuses %s on the internet, and names the provider and the key to set',
    (url) => {
      const { message } = thrownBy(() => loadReal(upstreamAt(url)));
      expect(message).toMatch(/^gateway.yaml:2:\d+ providers.gpu.base_url: .* not on the internet/);
      expect(message).toContain('write network: private in providers.gpu');
    },
  );

  test('takes it where the policy says network: private, and anything else by name', () => {
    const near = loadReal(upstreamAt('http://127.0.0.1:8000/v1', ', network: private'));
    expect(near.policy.providers.gpu?.network).toBe('private');
    const named = loadReal(upstreamAt('http://gpu-1:8000/v1'));
    expect(named.policy.providers.gpu?.network).toBe('public');
  });
});
