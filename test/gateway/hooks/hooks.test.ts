import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Plugin } from '../../../src/core/plugin.ts';
import { openHttp } from '../../kit/http-connection.ts';
import { answer, startUpstream, status, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makeSnapshot, type PluginSpec } from '../snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (...plugins: PluginSpec[]) => {
  upstream.script(answer('fine'));
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, plugins }));
};
const broken = (): never => {
  throw new Error('broken');
};
const spin = (ms: number): undefined => {
  for (const end_ms = performance.now() + ms; performance.now() < end_ms; );
};
const bypassed = (cause: string) =>
  gateway.metrics
    .snapshot()
    .hive_plugin_bypassed_total?.find(({ labels }) => labels.join() === `bad,${cause}`)?.value;

test('hooks run in the policy’s order on the way in and in reverse on the way out', async () => {
  const order: string[] = [];
  const speaking = (name: string): Plugin => ({
    onRequest: () => void order.push(`${name} onRequest`),
    onAttempt: () => void order.push(`${name} onAttempt`),
    onAttemptEnd: (attempt) => void order.push(`${name} onAttemptEnd ${attempt.outcome}`),
    onResponse: () => void order.push(`${name} onResponse`),
    onRequestEnd: (outcome) => void order.push(`${name} onRequestEnd ${outcome.outcome}`),
  });
  await start({ id: 'a', plugin: speaking('a') }, { id: 'b', plugin: speaking('b') });
  expect((await gateway.post(ask())).status).toBe(200);
  await gateway.event();
  expect(order).toEqual([
    'a onRequest',
    'b onRequest',
    'a onAttempt',
    'b onAttempt',
    'b onAttemptEnd ok',
    'a onAttemptEnd ok',
    'b onResponse',
    'a onResponse',
    'b onRequestEnd ok',
    'a onRequestEnd ok',
  ]);
});

test('hooks merge patches, and a later plugin sees the body as patched so far', async () => {
  const seen: unknown[] = [];
  await start(
    { id: 'a', plugin: { onRequest: () => ({ body: { top_p: 0.5, seed: 1, user: null } }) } },
    {
      id: 'b',
      plugin: {
        onRequest(call) {
          seen.push(call.body.top_p, call.body.user);
          return Promise.resolve({ body: { seed: 2 } });
        },
      },
    },
  );
  await gateway.post(ask('hi', { user: 'anna' }));
  expect(seen).toEqual([0.5, undefined]);
  const sent = upstream.calls.at(-1)?.body;
  expect(sent).toMatchObject({ top_p: 0.5, seed: 2 });
  expect(sent).not.toHaveProperty('user');
});

test('hooks that reply end the call without an upstream', async () => {
  const ends: unknown[] = [];
  const reply = {
    status: 403,
    body: { error: { message: 'no', type: 't', param: null, code: 'c' } },
  };
  const never: Plugin = { onRequest: () => void ends.push('never') };
  await start(
    {
      id: 'a',
      plugin: { onRequest: () => ({ reply }), onRequestEnd: (end) => void ends.push(end.status) },
    },
    { id: 'b', plugin: never },
  );
  const known = upstream.calls.length;
  const response = await gateway.post(ask());
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual(reply.body);
  expect(upstream.calls.length).toBe(known);
  expect(await gateway.event()).toMatchObject({
    outcome: 'rejected',
    arm_error: false,
    served: null,
  });
  expect(ends).toEqual([403]);
});

test('hooks that reply with a status that has no body leave the next answer whole', async () => {
  const reply = { status: 204, body: { nothing: 'to say' } };
  const once: Plugin = { onRequest: ({ body }) => (body.user === 'anna' ? { reply } : undefined) };
  await start({ id: 'a', plugin: once });
  const connection = await openHttp(gateway.port);
  onTestFinished(() => void connection.socket.destroy());
  for (const user of ['anna', 'bert']) {
    const body = JSON.stringify(ask('hello', { user }));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost`;
    await connection.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    const { status, body: answered } = await connection.answer();
    expect([status, String(answered)]).toEqual([200, expect.stringContaining('fine')]);
  }
  expect((await gateway.event(1)).markers).toEqual(['plugin:a:invalid']);
});

test.each<[string, Plugin, string]>([
  ['throws', { onRequest: broken }, 'threw'],
  ['rejects', { onRequest: () => Promise.reject(new Error('broken')) }, 'threw'],
  ['never answers', { onRequest: () => new Promise<never>(() => {}) }, 'slow'],
  ['returns no patch', { onRequest: () => 'patch' as never }, 'invalid'],
  [
    'returns a patch of strange targets',
    { onRequest: () => ({ targets: [1] }) as never },
    'invalid',
  ],
  ['changes the call', { onRequest: (call) => void Object.assign(call, { agent: 'x' }) }, 'threw'],
  [
    'changes the messages',
    { onRequest: (call) => void (call.body.messages as unknown[]).push('x') },
    'threw',
  ],
  ['throws at an attempt', { onAttempt: broken }, 'threw'],
  ['throws after an attempt', { onAttemptEnd: broken }, 'threw'],
  ['throws at the answer', { onResponse: broken }, 'threw'],
  ['returns no answer', { onResponse: () => ({ status: 1 }) as never }, 'invalid'],
  ['throws at the end', { onRequestEnd: broken }, 'threw'],
])('a plugin that %s is bypassed, and the call goes on', async (_name, plugin, cause) => {
  await start({ id: 'bad', plugin, budget_ms: 30 });
  const response = await gateway.post(ask());
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'fine' } }] });
  expect(upstream.calls.at(-1)?.user).toBe('hello');
  expect((await gateway.event()).markers).toEqual(
    'onRequestEnd' in plugin ? ['plugin:bad:threw'] : [`plugin:bad:${cause}`],
  );
  expect(bypassed(cause)).toBe(1);
});

test('a plugin with on_error fail fails the call, with a clear error', async () => {
  await start({ id: 'bad', plugin: { onRequest: broken }, on_error: 'fail' });
  const response = await gateway.post(ask());
  expect(response.status).toBe(500);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(await response.json()).toMatchObject({ error: { code: 'plugin_failed' } });
  expect(await gateway.event()).toMatchObject({ outcome: 'error', arm_error: true });
});

test('a plugin that fails too often is passed over, and its calls go on', async () => {
  let runs = 0;
  const plugin: Plugin = {
    onRequest() {
      runs += 1;
      throw new Error('broken');
    },
  };
  await start({ id: 'bad', plugin });
  for (let call = 0; call < 15; call += 1) await gateway.post(ask());
  expect(runs).toBe(10);
  expect(bypassed('open')).toBe(5);
  expect((await gateway.event(15)).markers).toEqual(['plugin:bad:open']);
});

test('a slow synchronous plugin is heard, but cut from later calls', async () => {
  let runs = 0;
  const plugin: Plugin = {
    onRequest() {
      runs += 1;
      spin(4);
      return { body: { seed: 7 } };
    },
  };
  await start({ id: 'bad', plugin, budget_ms: 2 });
  for (let call = 0; call < 12; call += 1) await gateway.post(ask());
  expect(runs).toBe(10);
  expect(upstream.calls.at(-12)?.body.seed).toBe(7);
  expect(upstream.calls.at(-1)?.body).not.toHaveProperty('seed');
});

test('an asynchronous plugin that hangs is passed over after a while', async () => {
  let runs = 0;
  const plugin: Plugin = {
    onRequest() {
      runs += 1;
      return new Promise<never>(() => {});
    },
  };
  await start({ id: 'bad', plugin, budget_ms: 5 });
  for (let call = 0; call < 12; call += 1) await gateway.post(ask());
  expect(runs).toBe(10);
  expect(bypassed('slow')).toBe(10);
  expect(bypassed('open')).toBe(2);
});

test('a fuse stays open across a swap of the policy', async () => {
  let runs = 0;
  const plugin: Plugin = {
    onRequest() {
      runs += 1;
      throw new Error('broken');
    },
  };
  await start({ id: 'bad', plugin });
  for (let call = 0; call < 10; call += 1) await gateway.post(ask());
  const next = makeSnapshot({
    version: 'v2',
    targets: { main: upstream.url },
    plugins: [{ id: 'bad', plugin, budget_ms: 99 }],
  });
  await gateway.current.swap(next);
  const response = await gateway.post(ask());
  expect(response.headers.get('x-hive-version')).toBe('v2');
  expect(runs).toBe(10);
});

test('a plugin skips a target by saying false to its attempt', async () => {
  await start({ id: 'a', plugin: { onAttempt: (target) => target.name !== 'main' } });
  const response = await gateway.post(ask());
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ error: { code: 'no_target' } });
});

test('a plugin replaces a whole answer', async () => {
  await start({
    id: 'a',
    plugin: {
      onResponse: (response) => ({ ...response, body: { ...response.body, model: 'mine' } }),
    },
  });
  expect(await (await gateway.post(ask())).json()).toMatchObject({ model: 'mine' });
});

test('a plugin’s notes reach the client, made safe for a header', async () => {
  const plugin: Plugin = {
    onRequest(_call, scope) {
      scope.note('temperature', 'dropped:\r\nx-evil: ü');
      scope.mark('patcher:dropped');
    },
  };
  await start({ id: 'a', plugin });
  const response = await gateway.post(ask());
  expect(response.headers.get('x-hive-notes')).toBe('temperature: dropped:??x-evil: ?');
  expect((await gateway.event()).markers).toEqual(['patcher:dropped']);
});

test('hooks end exactly once after an error of the upstream', async () => {
  const ends: string[] = [];
  await start({ id: 'a', plugin: { onRequestEnd: (outcome) => void ends.push(outcome.outcome) } });
  upstream.script(status(400));
  await gateway.post(ask());
  await gateway.event();
  expect(ends).toEqual(['error']);
});
