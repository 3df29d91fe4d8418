import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import { definition as loraHotplug } from '../../src/plugins/lora-hotplug.ts';
import { definition as embedded } from '../../src/providers/embedded.ts';
import {
  answer,
  type Behaviour,
  by,
  startUpstream,
  status,
  type Upstream,
} from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let engine: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  engine = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => engine.close());

/** The embedded provider and the plugin as shipped, at an engine that a test scripts. */
const start = async (adapter: string, script: Behaviour, lora_hotplug = true) => {
  engine.script(script);
  const provider = instantiate(
    embedded,
    { model: 'echo.gguf', adapters: { upper: 'upper.gguf' } },
    { name: 'local', engineUrl: () => engine.url },
  );
  const host = {
    agent: 'default',
    keep: <V>(_id: string, make: () => V) => make(),
    monotonic_ms: () => 0,
    policy_ms: () => 0,
  };
  gateway = await startGateway(
    makeSnapshot({
      targets: { demo: { provider, model: 'echo' } },
      agents: { default: { entry: { adapter }, lora_hotplug } },
      plugins: [{ id: 'lora-hotplug', plugin: instantiate(loraHotplug, {}, host) }],
    }),
  );
};
const failing = (failure: Behaviour) =>
  by((request) => (request.body.model === 'echo:upper' ? failure : answer('base')));
const refused = (code: number, error: object) => failing(status(code, { error }));

test.each([false, true])(
  'an adapter that the answer proves is told as applied (stream: %s)',
  async (streaming) => {
    await start('upper', answer('HELLO'));
    const response = await gateway.post(ask('hi', { stream: streaming }));
    await response.text();
    expect(engine.calls.at(-1)?.body.model).toBe('echo:upper');
    expect(response.headers.get('x-hive-lora')).toBe('requested=upper; applied=upper');
    expect((await gateway.event()).adapter).toBe('upper');
  },
);

test.each([
  ['unknown to the engine', refused(404, { type: 'NotFoundError', message: 'no', param: 'model' })],
  ['broken', refused(500, { type: 'x', message: 'no', code: 'adapter_failed' })],
])('an adapter that is %s is left out at once, and the base answers', async (_name, script) => {
  await start('upper', script);
  const response = await gateway.post(ask());
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'base' } }] });
  expect(response.headers.get('x-hive-lora')).toBe(
    'requested=upper; applied=none; reason=unavailable',
  );
  expect(await gateway.event()).toMatchObject({
    adapter: null,
    outcome: 'ok',
    arm_error: false,
    attempts: [{ error: 'adapter_unavailable' }, { outcome: 'ok' }],
  });
});

test.each([
  ['no target has', 'lower', true, 'requested=lower; applied=none; reason=unknown'],
  ['is switched off', 'upper', false, 'requested=upper; applied=none; reason=switched_off'],
])('an adapter that %s is an honest no-op', async (_name, adapter, enabled, told) => {
  await start(adapter, answer('base'), enabled);
  const response = await gateway.post(ask());
  expect(response.headers.get('x-hive-lora')).toBe(told);
  expect(engine.calls.at(-1)?.body.model).toBe('echo');
});

test('an agent without an adapter says nothing of it', async () => {
  await start('none', answer('base'));
  expect((await gateway.post(ask())).headers.get('x-hive-lora')).toBeNull();
});
