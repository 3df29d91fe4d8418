import process from 'node:process';
import type { Call } from '../src/core/call.ts';
import { instantiate } from '../src/core/definition.ts';
import type { AgentView, PluginHost, Scope } from '../src/core/plugin.ts';
import { encodeFeatures } from '../src/core/routing/call-context.ts';
import { fitContext } from '../src/core/routing/context-fit.ts';
import type { ContextModel } from '../src/core/routing/context-model.ts';
import { createLearner, LEARNER_DEFAULTS } from '../src/core/routing/learner.ts';
import {
  createFigures,
  observeAttempt,
  observeFirstByte,
} from '../src/core/routing/live-figures.ts';
import { promptFeatures } from '../src/core/routing/prompt-features.ts';
import { createRandom } from '../src/core/routing/random.ts';
import { decide } from '../src/gateway/hooks/scope.ts';
import { definition } from '../src/plugins/model-router.ts';

/**
 * What a routing decision costs, in microseconds of one core: `node bench/routing.ts`. The median
 * of nine rounds; eight targets; `choose` is the gateway's own, so a draw by hash is included.
 */
const ROUNDS = 9;
const CALLS = 50_000;
const NAMES = Array.from({ length: 8 }, (_, at) => `t${at}`);
const UNITS = Array.from({ length: 1000 }, (_, at) => `u:${at}`);
/** In one piece, as a parser gives it. */
const TEXT = Buffer.from(
  'It is possible to change the password on the page of your account? '.repeat(15),
).toString();

const FIGURES = new Map(
  NAMES.map((name, at) => {
    const figures = createFigures();
    observeFirstByte(figures, false, 0, 200 + at);
    observeAttempt(figures, at > 0, 0);
    return [name, figures];
  }),
);

const view = {
  name: 'a',
  entry: { targets: {}, adapter: 'none', params: {}, plugins: {} },
  targets: NAMES.map((name) => ({ name, weight: 1, fallback_only: false, adapters: [] })),
  prompt: null,
  lora_hotplug: true,
} as AgentView;
const call = {
  pinned: null,
  body: { messages: [{ role: 'user', content: TEXT }] },
  raw: Buffer.from(TEXT),
} as unknown as Call;

/** Learned of 2,000 calls of random words; its size is what counts here, not what it knows. */
function learned(): ContextModel {
  const random = createRandom(1);
  const samples = Array.from({ length: 2000 }, (_, at) => ({
    features: encodeFeatures(promptFeatures(`${TEXT.slice(random.uniform() * 500)} ${at}`)),
    category: '',
    target: NAMES[at % 8] as string,
    reward: Number(random.uniform() < 0.1 * (at % 8)),
  }));
  return fitContext(samples, NAMES, new Float64Array(2000).fill(1)).model;
}

function hostOf(failing: boolean): PluginHost {
  const table = { targets: NAMES, by: { '': NAMES.map(() => 1 / 8) }, model: learned() };
  return {
    agent: 'a',
    condition: () => (one) => one.raw.length > 4000,
    routes: () => {
      if (failing) throw new Error('broken');
      return { epoch: 1, table };
    },
    keep: (_id, make) => make(),
    monotonic_ms: () => 0,
    policy_ms: () => 0,
  };
}

function scopeOf(unit: string): Scope {
  return {
    agent: view,
    header: () => null,
    healthy: () => true,
    inFlight: (name) => name.length,
    category: () => 'other',
    figures: (name) => FIGURES.get(name) ?? null,
    price: () => null,
    choose: (name, options, probabilities, excluded, drawn) =>
      decide(unit, 'a', { name, options, probabilities }, excluded, drawn).chosen,
    note: () => {},
    mark: () => {},
  };
}

function median(once: (at: number) => void, calls = CALLS): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begun = process.cpuUsage();
    for (let at = 0; at < calls; at += 1) once(at);
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / calls;
  });
  return rounds.sort((left, right) => left - right)[Math.floor(ROUNDS / 2)] as number;
}

const say = (what: string, us: number): void =>
  void process.stdout.write(`${what}: ${us.toFixed(2)} µs\n`);

const scopes = UNITS.map(scopeOf);
const even = { name: 'model-router', options: NAMES, probabilities: NAMES.map(() => 1) };
say(
  'the draw alone',
  median((at) => void decide(UNITS[at % 1000] as string, 'a', even)),
);
for (const options of [
  { strategy: 'weighted' },
  { strategy: 'fixed', target: 't3' },
  { strategy: 'round-robin' },
  { strategy: 'least-in-flight' },
  { strategy: 'fastest' },
  { strategy: 'cheapest', facts: { t3: { input_usd: 1 } } },
  { strategy: 'rules', rules: [{ when: 'call.tokens_in > 1000', target: 't3' }] },
  { strategy: 'bandit' },
  { strategy: 'linucb' },
  { strategy: 'squarecb' },
  { strategy: 'weighted', facts: { t3: { vision: false } } },
]) {
  const plugin = instantiate(definition, options, hostOf(false));
  const name = 'facts' in options && options.strategy === 'weighted' ? 'capabilities' : '';
  say(
    `${options.strategy} ${name}`.trim(),
    median((at) => void plugin.onRequest?.(call, scopes[at % 1000] as Scope)),
  );
}
const x = promptFeatures(TEXT);
const failing = instantiate(definition, { strategy: 'bandit' }, hostOf(true));
say(
  'bandit that throws',
  median((at) => {
    try {
      void failing.onRequest?.(call, scopes[at % 1000] as Scope);
    } catch {}
  }, 5000),
);
say(
  'features of 1 KB',
  median(() => void promptFeatures(TEXT, {}, x), 5000),
);
const learner = createLearner({ ...LEARNER_DEFAULTS, arms: 8, context: 'linear' });
say(
  'a contextual choice among 8 (lab)',
  median(() => {
    learner.choose(x);
  }, 5000),
);
