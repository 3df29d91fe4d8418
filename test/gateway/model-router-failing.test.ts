import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import type { PluginHost } from '../../src/core/plugin.ts';
import { fitContext } from '../../src/core/routing/context-fit.ts';
import { definition } from '../../src/plugins/model-router.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { pluginHost } from '../plugins/recording-scope.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

/** A gateway whose router learns, and whose tables come from `routes`. */
async function start(routes: PluginHost['routes'], strategy = 'bandit'): Promise<void> {
  upstream.script(answer('fine'));
  const plugin = instantiate(definition, { strategy }, { ...pluginHost, routes });
  const targets = { left: upstream.url, right: upstream.url };
  const plugins = [{ id: 'router', plugin, budget_ms: 2 }];
  gateway = await startGateway(makeSnapshot({ targets, plugins }));
}

const LEARNED = ['bandit', 'linucb', 'squarecb'];

test.each(LEARNED)(
  'a router (%s) that fails in mid-call is bypassed, and the call goes on',
  async (strategy) => {
    await start(() => {
      throw new Error('the table is broken');
    }, strategy);
    const response = await gateway.post(ask());
    expect(response.status).toBe(200);
    expect((await gateway.event()).markers).toEqual(['plugin:router:threw']);
  },
);

test.each(LEARNED)(
  'a router (%s) that hangs holds calls up no longer than its fuse allows',
  async (strategy) => {
    let asked = 0;
    await start(() => {
      asked += 1;
      for (const end_ms = performance.now() + 4; performance.now() < end_ms; );
      return null;
    }, strategy);
    for (let call = 0; call < 14; call += 1) {
      expect((await gateway.post(ask())).status).toBe(200);
    }
    const before = asked;
    expect((await gateway.post(ask())).status).toBe(200);
    expect(asked).toBe(before);
    expect((await gateway.event(15)).markers).toEqual(['plugin:router:open']);
  },
);

test('a router that has learned writes its probabilities into the call’s event', async () => {
  const table = { targets: ['left', 'right'], by: { '': [0.9, 0.1] } };
  await start(() => ({ epoch: 3, table }));
  await gateway.post(ask());
  expect((await gateway.event()).decisions).toMatchObject([
    {
      name: 'model-router',
      options: ['left', 'right'],
      probabilities: [0.9, 0.1],
      category: 'other',
    },
  ]);
});

test('a contextual router writes its call’s features into the event, and no text', async () => {
  await start(() => null, 'linucb');
  await gateway.post(ask());
  const event = await gateway.event();
  const [decision] = event.decisions;
  expect(decision).toMatchObject({ name: 'model-router', probabilities: [0.5, 0.5] });
  expect(decision?.features).toHaveLength(88);
});

test('a contextual router goes by the weights while its model does not fit', async () => {
  const { model } = fitContext([], ['left', 'right'], []);
  const broken = { ...model, weights: [[1, 2, 3]] };
  const table = { targets: ['left', 'right'], by: {}, model: broken };
  await start(() => ({ epoch: 1, table }), 'squarecb');
  expect((await gateway.post(ask())).status).toBe(200);
  const event = await gateway.event();
  expect(event.markers).not.toContain('plugin:router:threw');
  expect(event.decisions[0]?.probabilities).toEqual([0.5, 0.5]);
});
