import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { answer, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

const start = async (more: Spec = {}) => {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }));
};

test.each([
  ['nothing', '', 'invalid_json', null],
  ['no JSON', '{"model":', 'invalid_json', null],
  ['a list', '[]', 'bad_request', 'body'],
  ['no model', '{"messages":[]}', 'bad_request', 'model'],
  ['a model of null', '{"model":null,"messages":[]}', 'bad_request', 'model'],
  ['a model that is no string', '{"model":7,"messages":[]}', 'bad_request', 'model'],
  ['no messages', '{"model":"default"}', 'bad_request', 'messages'],
  ['messages of null', '{"model":"default","messages":[null]}', 'bad_request', 'messages'],
  ['a strange stream', '{"model":"default","messages":[],"stream":"yes"}', 'bad_request', 'stream'],
  [
    'a deep body',
    `{"model":"default","messages":[],"x":${'['.repeat(70)}${']'.repeat(70)}}`,
    'bad_request',
    'body',
  ],
  ['an object of 200,000 keys', manyKeys(200_000), 'bad_request', 'body'],
  ['a million lists', `{"model":"default","x":[[]${',[]'.repeat(1e6)}]}`, 'bad_request', 'body'],
  ['an unknown model', '{"model":"gpt-99","messages":[]}', 'model_not_found', 'model'],
])('a body of %s is refused, and the field named', async (_name, body, code, param) => {
  await start({ body_bytes_max: 4 * 1024 * 1024 });
  const known = upstream.calls.length;
  const response = await gateway.post(body);
  expect(response.status).toBe(code === 'model_not_found' ? 404 : 400);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(response.headers.get('x-hive-version')).toBe('v1');
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  expect(error).toMatchObject({ type: 'invalid_request_error', code, param });
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(upstream.calls.length).toBe(known);
});

test('an unknown agent or target is 404 and tells the known ones', async () => {
  await start({ agents: { default: {}, helper: {} } });
  const agent = await gateway.post(ask(), { 'x-agent-id': 'nobody' });
  expect(agent.status).toBe(404);
  expect(await agent.json()).toMatchObject({
    error: {
      code: 'unknown_agent',
      param: 'x-agent-id',
      message: 'There is no agent nobody. Known agents: default, helper.',
    },
  });
  const target = await gateway.post(ask(), { 'x-hive-target': 'nowhere' });
  expect(target.status).toBe(404);
  expect(await target.json()).toMatchObject({
    error: {
      param: 'x-hive-target',
      message:
        'The model nowhere does not exist. Known agents: default, helper. Known targets: main.',
    },
  });
});

test('a body over the limit is 413, and the client that still sends gets to read it', async () => {
  await start({ body_bytes_max: 1000 });
  const large = ask('x'.repeat(5_000_000));
  const response = await gateway.post(large);
  expect(response.status).toBe(413);
  expect(response.headers.get('connection')).toBe('close');
  expect(await response.json()).toMatchObject({
    error: { code: 'body_too_large', param: 'body' },
  });
  const chunked = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: new Blob(['{"x":"', 'y'.repeat(100_000)]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(chunked.status).toBe(413);
  expect((await gateway.post(ask())).status).toBe(200);
});

test('a compressed body is 415', async () => {
  await start();
  const response = await gateway.post(ask(), { 'content-encoding': 'gzip' });
  expect(response.status).toBe(415);
  expect(await response.json()).toMatchObject({ error: { param: 'content-encoding' } });
});

test('a body with __proto__ passes through and changes nothing of ours', async () => {
  await start();
  const body = '{"model":"default","messages":[],"__proto__":{"stream":true,"polluted":1}}';
  expect((await gateway.post(body)).headers.get('content-type')).toBe('application/json');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('a lease is given back whatever becomes of the call', async () => {
  await start();
  upstream.script(status(500));
  for (const body of ['', '{}', ask(), ask('x', { model: 'no' })]) await gateway.post(body);
  upstream.script(answer('fine'));
  await gateway.current.swap(makeSnapshot({ targets: { main: upstream.url } }));
  expect(gateway.gateway.callsOpen()).toBe(0);
});

function manyKeys(count: number): string {
  const members = Array.from({ length: count }, (_, index) => `"k${index}":${index}`);
  return `{"model":"default","messages":[],${members.join(',')}}`;
}

test('a body of many turns or numbers is none of too many parts', async () => {
  await start({ body_bytes_max: 4 * 1024 * 1024 });
  const turn = { role: 'user', content: [{ type: 'text', text: 'hi' }] };
  const turns = { model: 'default', messages: Array.from({ length: 10_000 }, () => turn) };
  expect((await gateway.post(turns)).status).toBe(200);
  expect((await gateway.post(ask('hi', { x: Array(900_000).fill(1) }))).status).toBe(200);
});
