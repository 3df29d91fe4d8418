import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { portOf } from '../kit/ports.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  delayed,
  htmlError,
  openAiError,
  reset,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot, openAiAt } from './snapshot.ts';

let first: Upstream;
let second: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  first = await startUpstream();
  second = await startUpstream();
});
beforeEach(() => {
  first.script(answer('from first'));
  second.script(answer('from second'));
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([first.close(), second.close()]));

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

const start = async (more: Spec = {}) => {
  const targets = { first: first.url, second: second.url };
  gateway = await startGateway(makeSnapshot({ targets, ...more }));
};
const counts = () => ({ first: first.calls.length, second: second.calls.length });
const since = (before: ReturnType<typeof counts>) => ({
  first: first.calls.length - before.first,
  second: second.calls.length - before.second,
});

test.each([
  ['500', status(500)],
  ['503', status(503)],
  ['429', status(429)],
  ['an HTML page', htmlError()],
  ['half a JSON', status(200, '{"id":"x","choices":[')],
  ['an empty body', status(200, '')],
  ['a reset before the headers', reset()],
  ['a reset after the headers', reset('after-headers')],
  ['a redirect', status(307, '', { location: 'http://127.0.0.1:1/' })],
  ['a stream where a whole answer was asked for', stream(['a'])],
])('dispatch falls over to the next target on %s', async (_name, behaviour) => {
  await start();
  first.script(behaviour);
  const response = await gateway.post(ask());
  expect(await response.json()).toMatchObject({
    choices: [{ message: { content: 'from second' } }],
  });
  expect(response.headers.get('x-hive-target')).toBe('second');
  expect(response.headers.get('x-hive-attempts')).toBe('2');
  const event = await gateway.event();
  expect(event.attempts.map(({ target, outcome }) => `${target} ${outcome}`)).toEqual([
    'first error',
    'second ok',
  ]);
  expect(event).toMatchObject({
    outcome: 'ok',
    arm_error: false,
    intended: 'first',
    served: 'second',
  });
});

test.each([
  ['an error status', status(500)],
  ['an answer that is not a stream', status(200, { choices: [] })],
  ['an end without any event', stream([], { end: 'cut' })],
  ['a malformed first event', stream([{ raw: 'data: {"cho\n\n' }])],
  ['an error as the first event', stream([{ raw: 'data: {"error":{"message":"x"}}\n\n' }])],
])('dispatch falls over with a stream on %s', async (_name, behaviour) => {
  await start();
  first.script(behaviour);
  const response = await gateway.post(ask('hi', { stream: true }));
  const text = await response.text();
  expect(text).toContain('from');
  expect(text).not.toContain('"error"');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(response.headers.get('x-hive-target')).toBe('second');
});

test('dispatch does not repeat what the upstream calls the client’s mistake', async () => {
  await start();
  first.script(status(400));
  const before = counts();
  expect((await gateway.post(ask())).status).toBe(400);
  expect(since(before)).toEqual({ first: 1, second: 0 });
});

test('dispatch asks at most 1 + retries times over all targets', async () => {
  await start();
  first.script(status(500));
  second.script(status(503));
  const before = counts();
  const response = await gateway.post(ask());
  expect(response.status).toBe(502);
  expect(since(before)).toEqual({ first: 2, second: 1 });
  expect(await response.json()).toEqual({
    error: { message: 'scripted 500', type: 'server_error', param: null, code: null },
  });
});

test('dispatch tells the error that was explained, not the noise of the fallbacks', async () => {
  await start();
  first.script(status(500, openAiError(500, 'the model is on fire')));
  second.script(htmlError(503));
  const failed = (await (await gateway.post(ask())).json()) as { error: { message: string } };
  expect(failed.error.message).toBe('the model is on fire');
});

test('dispatch does not ask a silent target again, and goes on to the next', async () => {
  const silent = { url: first.url, timeouts: { first_token_ms: 60 } };
  await start({ targets: { first: silent, second: second.url } });
  first.script(stall());
  const before = counts();
  const response = await gateway.post(ask('hi', { stream: true }));
  expect(await response.text()).toContain('[DONE]');
  expect(since(before)).toEqual({ first: 1, second: 1 });
  expect((await gateway.event()).attempts[0]).toMatchObject({ error: 'upstream_timeout' });
});

test('dispatch lets a whole answer take longer than a first token may', async () => {
  await start({ timeouts: { first_token_ms: 30 } });
  first.script(delayed(120, answer('slow but good')));
  const body = JSON.stringify(await (await gateway.post(ask())).json());
  expect(body).toContain('slow but good');
});

test('dispatch obeys x-hive-timeout-ms, and blames no target for it', async () => {
  await start({ resilience: { breaker: { errors: 0.5, calls_min: 1, open_ms: 60_000 } } });
  first.script(stall());
  const response = await gateway.post(ask(), { 'x-hive-timeout-ms': '80' });
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ error: { code: 'upstream_timeout' } });
  expect(gateway.gateway.liveTargets().first).toMatchObject({ breaker: 'closed', in_flight: 0 });
});

test('dispatch gives an unreachable upstream up with a clear error', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await start({ targets: { gone: `http://127.0.0.1:${port}/v1` } });
  const response = await gateway.post(ask());
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({
    error: {
      code: 'upstream_unreachable',
      message: 'Provider scripted could not be reached (ECONNREFUSED).',
    },
  });
});

test('dispatch waits as long as a rate limit asks for before it repeats', async () => {
  await start({
    targets: { first: first.url },
    resilience: { retry: { retries: 1, backoff_ms: [1, 500] } },
  });
  first.script([status(429, undefined, { 'retry-after-ms': '150' }), answer('at last')]);
  const started_ms = performance.now();
  expect((await gateway.post(ask())).status).toBe(200);
  expect(performance.now() - started_ms).toBeGreaterThanOrEqual(145);
});

test('dispatch uses a fallback only after the agent’s own targets had their tries', async () => {
  const targets = { demo: { url: second.url, fallback_only: true }, first: first.url };
  await start({ targets });
  first.script([status(500), answer('second try')]);
  const body = JSON.stringify(await (await gateway.post(ask())).json());
  expect(body).toContain('second try');

  first.script(status(500));
  const response = await gateway.post(ask());
  expect(response.headers.get('x-hive-target')).toBe('demo');
  expect(response.headers.get('x-hive-attempts')).toBe('3');
  expect(await gateway.event(2)).toMatchObject({
    outcome: 'ok',
    arm_error: true,
    intended: 'first',
  });
});

test('dispatch takes a pinned target and no other', async () => {
  await start({ agents: { default: { targets: ['first'] } } });
  second.script(status(500));
  for (const [body, headers] of [
    [ask(), { 'x-hive-target': 'second' }],
    [ask('hi', { model: 'second' }), {}],
    [ask('hi', { model: 'scripted/model-second' }), {}],
  ] as const) {
    const before = counts();
    expect((await gateway.post(body, headers)).status).toBe(502);
    expect(since(before)).toEqual({ first: 0, second: 3 });
  }
});

test('dispatch follows the order that a plugin returned', async () => {
  const plugin = { onRequest: () => ({ targets: ['second', 'first'] }) };
  await start({ plugins: [{ id: 'router', plugin }] });
  expect((await gateway.post(ask())).headers.get('x-hive-target')).toBe('second');
  expect((await gateway.event()).intended).toBe('second');
});

test('dispatch skips a target whose breaker is open, and asks it again by one probe', async () => {
  await start({ resilience: { breaker: { errors: 0.4, calls_min: 4, open_ms: 150 } } });
  first.script(status(500));
  for (let call = 0; call < 4; call += 1) await gateway.post(ask());
  expect(gateway.gateway.liveTargets().first?.breaker).toBe('open');
  const before = counts();
  await gateway.post(ask());
  expect(since(before)).toEqual({ first: 0, second: 1 });

  await until(() => gateway.gateway.liveTargets().first?.breaker === 'half-open', {
    what: 'a probe',
  });
  first.script(delayed(50, answer('well again')));
  const probing = counts();
  const answers = await Promise.all([1, 2, 3].map(() => gateway.post(ask())));
  expect(since(probing)).toEqual({ first: 1, second: 2 });
  expect(answers.every((response) => response.status === 200)).toBe(true);
  expect(gateway.gateway.liveTargets().first?.breaker).toBe('closed');
});

test('dispatch asks the first target anyway where all breakers are open', async () => {
  await start({
    targets: { first: first.url },
    resilience: { breaker: { errors: 0.4, calls_min: 2, open_ms: 60_000 } },
  });
  first.script(status(500));
  await gateway.post(ask());
  expect(gateway.gateway.liveTargets().first?.breaker).toBe('open');
  const before = counts();
  await gateway.post(ask());
  expect(since(before)).toEqual({ first: 1, second: 0 });
  first.script(answer('back'));
  expect((await gateway.post(ask())).status).toBe(200);
  expect(gateway.gateway.liveTargets().first?.breaker).toBe('closed');
});

test('dispatch answers 503 where no target is present', async () => {
  await start({ targets: { engine: { provider: { ...openAiAt(first.url), base_url: '' } } } });
  const response = await gateway.post(ask());
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ error: { code: 'no_target' } });
  expect(await gateway.event()).toMatchObject({ outcome: 'error', arm_error: true, attempts: [] });
});
