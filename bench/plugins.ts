import process from 'node:process';
import type { AgentPlan, PluginInstance } from '../src/config/snapshot.ts';
import type { Answer } from '../src/core/answer/answer.ts';
import { contentOfBody } from '../src/core/answer/content.ts';
import type { Call } from '../src/core/call.ts';
import { instantiate } from '../src/core/definition.ts';
import { silentLog } from '../src/core/log.ts';
import { createMetrics } from '../src/core/metrics.ts';
import type { AgentView, Plugin, PluginHost } from '../src/core/plugin.ts';
import { costOf, priceFrom } from '../src/core/price.ts';
import {
  createFigures,
  observeAnswer,
  observeAttempt,
  observeFirstByte,
} from '../src/core/routing/live-figures.ts';
import { createFuse, type Fuse } from '../src/gateway/hooks/fuse.ts';
import { type HookRun, runEndHooks, runRequestHooks } from '../src/gateway/hooks/hooks.ts';
import { createProgress } from '../src/gateway/hooks/progress.ts';
import { createScope } from '../src/gateway/hooks/scope.ts';
import { Headroom } from '../src/gateway/targets/headroom.ts';
import { plugins } from '../src/plugins/index.ts';

/**
 * What each plugin costs a call through the gateway's own hooks, in microseconds of one core, above
 * a call without any: `node bench/plugins.ts`. On: as the policy's defaults have it, with a prompt
 * and two targets. Off: there, with nothing to do. Throwing: it fails, and its fuse never opens.
 * Passed over: its fuse is open. The least of nine rounds; compare rows of one run only.
 */
const ROUNDS = 9;
const CALLS = 20_000;
const NAMES = ['left', 'right'];
const UNITS = Array.from({ length: 1000 }, (_, at) => `u:${at}`);
const TEXT = 'It is possible to change the password on the page of your account? '.repeat(15);

const body = { model: 'default', messages: [{ role: 'user', content: TEXT }] };
const call = {
  endpoint: 'chat.completions',
  agent: 'a',
  model: 'default',
  pinned: null,
  stream: false,
  body,
  raw: Buffer.from(JSON.stringify(body)),
} as unknown as Call;

const targets = NAMES.map((name) => ({
  name,
  weight: 1,
  fallback_only: false,
  adapters: ['upper'],
}));
const content = { ops: [{ op: 'system.append' as const, text: 'Answer briefly and kindly.' }] };
const entry = { targets: {}, adapter: 'none', params: {}, plugins: {} };
const idle: AgentView = { name: 'a', entry, targets: [], prompt: null, lora_hotplug: true };
const busy: AgentView = {
  ...idle,
  entry: { ...entry, adapter: 'upper' },
  targets,
  prompt: { name: 'tone', version: 1, content },
};
const host: PluginHost = {
  agent: 'a',
  condition: () => () => false,
  routes: () => null,
  keep: (_id, make) => make(),
  monotonic_ms: () => performance.now(),
  policy_ms: () => 0,
};
const around = {
  header: () => null,
  healthy: () => true,
  inFlight: () => 0,
  figures: () => null,
  price: () => null,
  category: () => 'other',
};
const metrics = createMetrics();

function runOf(view: AgentView, instances: readonly PluginInstance[], fuse: Fuse): () => void {
  const plan: AgentPlan = { name: 'a', version: 'v', view, plugins: instances };
  const deps = { log: silentLog, metrics, monotonic_ms: () => performance.now(), fuse: () => fuse };
  const outcome = {} as Parameters<typeof runEndHooks>[1];
  let at = 0;
  return () => {
    at += 1;
    const progress = createProgress(0);
    const mine = { ...call, unit: UNITS[at % UNITS.length] as string };
    const scope = createScope(mine, view, progress, around);
    const run: HookRun = { call: mine, plan, scope, progress, deps, entered: [], bypassed: null };
    void runRequestHooks(run);
    runEndHooks(run, outcome);
  };
}

function microseconds(work: () => unknown, calls = CALLS): number {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = process.cpuUsage();
    for (let at = 0; at < calls; at += 1) work();
    const { user, system } = process.cpuUsage(begun);
    least = Math.min(least, (user + system) / calls);
  }
  return least;
}

const say = (what: string, us: number): void =>
  void process.stdout.write(`${what}: ${us.toFixed(2)} µs\n`);

const always: Fuse = Object.assign(createFuse(), { admits: () => true });
const instanceOf = (id: string, plugin: Plugin): PluginInstance => ({
  id,
  plugin,
  entry: { use: id, on_error: 'skip', budget_ms: 1000, options: {} },
});
const throwing: Plugin = {
  onRequest() {
    throw new Error('broken');
  },
};
const open = createFuse();
for (let run = 0; run < 10; run += 1) open.record(false, performance.now());

const without = microseconds(runOf(busy, [], always));
say('a call without plugins', without);
for (const definition of plugins.values()) {
  const made = [instanceOf(definition.name, instantiate(definition, {}, host))];
  const failing = [instanceOf(definition.name, throwing)];
  const cost = (view: AgentView, list: readonly PluginInstance[], fuse: Fuse, calls = CALLS) =>
    microseconds(runOf(view, list, fuse), calls) - without;
  say(`${definition.name} on`, cost(busy, made, always));
  say(`${definition.name} off`, cost(idle, made, always));
  say(`${definition.name} throwing`, cost(busy, failing, always, 5000));
  say(`${definition.name} passed over`, cost(busy, failing, open, 5000));
}

const choices = [{ index: 0, message: { content: TEXT }, finish_reason: 'stop' }];
const bytes = Buffer.from(JSON.stringify({ id: 'c', choices }));
const answer = (): Answer => ({
  target: 'left',
  finish: 'stop',
  tokens: null,
  content: () => contentOfBody('chat.completions', bytes),
});
const router = plugins.get('model-router');
const options = { strategy: 'cascade', cascade: { order: NAMES } };
const cascade = router && instantiate(router, options, host);
const scope = createScope(call, busy, createProgress(0), around);
say(
  'a cascade’s checks of 1 KB',
  microseconds(() => cascade?.onAnswer?.(call, answer(), scope)),
);

const figures = createFigures();
const headroom = new Headroom();
const price = priceFrom({ input_usd: 3, output_usd: 15, cached_input_usd: 0.3 });
const tokens = { in: 1000, cached: 600, out: 50, estimated: false };
let now_ms = 0;
const live = (headers: Readonly<Record<string, string>>) => (): void => {
  now_ms += 1;
  observeFirstByte(figures, false, 0, 200);
  observeAttempt(figures, true, now_ms);
  headroom.read(headers, now_ms);
  observeAnswer(figures, costOf(price, tokens), tokens.out);
};
say('live state of a target', microseconds(live({}), 200_000));
say(
  'live state, with limits in the headers',
  microseconds(
    live({
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '400',
      'x-ratelimit-limit-tokens': '30000',
      'x-ratelimit-remaining-tokens': '29000',
    }),
    200_000,
  ),
);
