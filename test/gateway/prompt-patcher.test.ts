import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import type { Plugin, Scope } from '../../src/core/plugin.ts';
import type { PromptVersion } from '../../src/core/prompt/version.ts';
import { definition } from '../../src/plugins/prompt-patcher.ts';
import { startAnthropicUpstream } from '../kit/anthropic-upstream.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { pluginHost } from '../plugins/recording-scope.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { hello } from './messages-kit.ts';
import { anthropicAt, makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const real = instantiate(definition, {}, pluginHost);
const version: PromptVersion = {
  ops: [{ op: 'system.append', text: 'In {{locale}}.' }],
  vars: { locale: { from: 'header:x-locale', enum: ['en', 'it'], default: 'en' } },
};

/** The same scope for an agent with a prompt. */
function withAgent(scope: Scope, agent: Scope['agent']): Scope {
  return {
    agent,
    header: (name) => scope.header(name),
    healthy: (target) => scope.healthy(target),
    inFlight: (target) => scope.inFlight(target),
    figures: (target) => scope.figures(target),
    price: (target) => scope.price(target),
    category: () => scope.category(),
    choose: (...choice) => scope.choose(...choice),
    note: (subject, reason) => scope.note(subject, reason),
    mark: (marker) => scope.mark(marker),
  };
}

/** The plugin itself, with what a snapshot would have given it of the agent's prompt. */
function patching(content: PromptVersion, wrap: (plugin: Plugin) => Plugin = (own) => own): Plugin {
  const prompt = { name: 'tone', version: 1, content };
  return wrap({
    onRequest: (call, scope) =>
      real.onRequest?.(call, withAgent(scope, { ...scope.agent, prompt })),
  });
}

async function start(plugin: Plugin): Promise<void> {
  upstream.script(answer('fine'));
  const plugins = [{ id: 'prompt-patcher', plugin, budget_ms: 20 }];
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, plugins }));
}

test('prompt patcher reads a header of the call, and leaves its mark in the event', async () => {
  await start(patching(version));
  const response = await gateway.post(ask(), { 'x-locale': 'it' });
  expect(response.status).toBe(200);
  expect(upstream.calls.at(-1)?.system).toBe('In it.');
  expect(upstream.calls.at(-1)?.headers).not.toHaveProperty('x-locale');
  expect((await gateway.event()).markers).toEqual(['prompt:tone@1']);
});

test('prompt patcher lets a client count what its call is billed for', async () => {
  const claude = await startAnthropicUpstream();
  onTestFinished(() => claude.close());
  const content: PromptVersion = { ops: [{ op: 'system.append', text: 'In one two three.' }] };
  const plugins = [{ id: 'prompt-patcher', plugin: patching(content), budget_ms: 20 }];
  const targets = { main: { provider: anthropicAt(claude.url) } };
  gateway = await startGateway(makeSnapshot({ targets, plugins }));
  const client = new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0 });
  const { model, max_tokens, messages } = hello('four five');
  const { usage } = await client.messages.create({ model, max_tokens, messages });
  const counted = await client.messages.countTokens({ model, messages });
  expect(counted.input_tokens).toBe(usage.input_tokens);
  const systems = claude.requests.map(({ body }) => body.system);
  expect(systems).toEqual(['In one two three.', 'In one two three.']);
  expect((await gateway.event(2)).markers).toEqual([]);
});

test('prompt patcher that cannot apply leaves the call as it was, and says so', async () => {
  const op = { op: 'replace', target: 'system', anchor: 'polite', text: 'kind' } as const;
  await start(patching({ ops: [{ op: 'system.append', text: 'X' }, op] }));
  const response = await gateway.post(ask());
  expect(response.status).toBe(200);
  expect(response.headers.get('x-hive-notes')).toContain('tone@1 was not applied');
  expect(upstream.calls.at(-1)?.system).toBe('');
  expect((await gateway.event()).markers).toEqual(['prompt-patcher:anchor_missing']);
});

test.each<[string, (plugin: Plugin) => Plugin, string]>([
  [
    'fails amid its work',
    (own) => ({
      onRequest(call, scope) {
        void own.onRequest?.(call, scope);
        throw new Error('broken');
      },
    }),
    'threw',
  ],
  [
    'hangs amid its work',
    (own) => ({
      async onRequest(call, scope) {
        await new Promise<never>(() => {});
        return own.onRequest?.(call, scope);
      },
    }),
    'slow',
  ],
])('prompt patcher that %s is passed over, and the calls go on', async (_what, wrap, cause) => {
  await start(patching(version, wrap));
  for (let call = 1; call <= 12; call += 1) {
    const response = await gateway.post(ask());
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'fine' } }] });
    const { markers } = await gateway.event(call);
    // After ten failures its fuse is open, and it is not even asked.
    const wanted = call > 10 ? 'open' : cause;
    expect(markers.at(-1)).toBe(`plugin:prompt-patcher:${wanted}`);
    expect(upstream.calls.at(-1)?.system).toBe('');
  }
});

test('prompt patcher that fails on strange content is passed over as well', async () => {
  const content = new Proxy({} as PromptVersion, {
    get() {
      throw new Error('damaged');
    },
  });
  await start(patching(content));
  expect((await gateway.post(ask())).status).toBe(200);
  expect((await gateway.event()).markers).toEqual(['plugin:prompt-patcher:threw']);
});
