import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { plugins } from '../../src/plugins/index.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { pluginHost } from '../plugins/recording-scope.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

/** Whether a hook may return a promise: only what awaits can be stopped, the rest is cut later. */
const HOOKS: Readonly<Record<keyof Plugin, 'awaits' | 'synchronous'>> = {
  onRequest: 'awaits',
  onAttempt: 'synchronous',
  onAttemptEnd: 'synchronous',
  onAnswer: 'awaits',
  onResponse: 'awaits',
  onChunk: 'synchronous',
  onRequestEnd: 'synchronous',
};
const NAMES = Object.keys(HOOKS) as readonly (keyof Plugin)[];
const BUDGET_MS = 15;

let first: Upstream;
let second: Upstream;
let gateway: RunningGateway;

const targets = () => ({ first: first.url, second: second.url });

beforeAll(async () => {
  [first, second] = await Promise.all([startUpstream(), startUpstream()]);
  gateway = await startGateway(makeSnapshot({ targets: targets() }));
  for (const upstream of [first, second]) upstream.script(answer('a fine answer'));
});
afterAll(() => Promise.all([gateway.close(), first.close(), second.close()]));

/** The plugin as it is, but for one hook that runs and then does what it should not. */
function broken(plugin: Plugin, hook: keyof Plugin, end: () => unknown): Plugin {
  const made: Record<string, unknown> = {};
  for (const name of NAMES) {
    const own = plugin[name] as ((...given: unknown[]) => unknown) | undefined;
    if (own) made[name] = (...given: unknown[]) => own.apply(plugin, given);
  }
  const own = made[hook] as ((...given: unknown[]) => unknown) | undefined;
  made[hook] = (...given: unknown[]) => {
    own?.(...given);
    return end();
  };
  return made as Plugin;
}

const throws = (): never => {
  throw new Error('broken amid the call');
};
const hangs = (hook: keyof Plugin) => (): unknown => {
  if (HOOKS[hook] === 'awaits') return new Promise(() => {});
  for (const end_ms = performance.now() + 2 * BUDGET_MS; performance.now() < end_ms; );
  return undefined;
};

/** One call of each kind; the markers that both left. */
async function callTwice(plugin: Plugin, id: string): Promise<readonly string[]> {
  const made = { id, plugin, budget_ms: BUDGET_MS };
  void gateway.current.swap(makeSnapshot({ targets: targets(), plugins: [made] }));
  const known = gateway.events().length;
  const whole = await gateway.post(ask());
  expect(whole.status).toBe(200);
  expect(await whole.text()).toContain('a fine answer');
  const streamed = await gateway.post(ask('hi', { stream: true }));
  expect(streamed.status).toBe(200);
  const text = await streamed.text();
  for (const word of ['a ', 'fine ', 'answer']) expect(text).toContain(JSON.stringify(word));
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  await gateway.event(known + 2);
  const events = gateway.events().slice(known);
  expect(events.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
  return events.flatMap(({ markers }) => markers);
}

describe.each([...plugins.values()])('$name', (definition) => {
  test.each(NAMES)('a call goes on where its %s throws', async (hook) => {
    const id = `${definition.name}-${hook}-throws`;
    const plugin = broken(instantiate(definition, {}, pluginHost), hook, throws);
    expect(await callTwice(plugin, id)).toContain(`plugin:${id}:threw`);
  });

  test.each(NAMES)('a call goes on where its %s hangs', async (hook) => {
    const id = `${definition.name}-${hook}-hangs`;
    const plugin = broken(instantiate(definition, {}, pluginHost), hook, hangs(hook));
    expect(await callTwice(plugin, id)).toContain(`plugin:${id}:slow`);
  });
});

test('calls pass a plugin over that hangs, once its fuse is open', async () => {
  for (const definition of plugins.values()) {
    const plugin = broken(instantiate(definition, {}, pluginHost), 'onRequest', throws);
    const id = `${definition.name}-fuse`;
    const snapshot = makeSnapshot({ targets: targets(), plugins: [{ id, plugin }] });
    void gateway.current.swap(snapshot);
    for (let call = 0; call < 10; call += 1) await (await gateway.post(ask())).text();
    const known = gateway.events().length;
    expect((await gateway.post(ask())).status).toBe(200);
    expect((await gateway.event(known + 1)).markers).toEqual([`plugin:${id}:open`]);
    expect(gateway.gateway.livePlugins()[id]).toMatchObject({ calls: 10, open: ['default'] });
  }
});
