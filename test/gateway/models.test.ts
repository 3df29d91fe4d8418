import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
let claude: Anthropic;

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (names = ['big', 'main']) => {
  const targets = Object.fromEntries(names.map((name) => [name, upstream.url]));
  gateway = await startGateway(makeSnapshot({ targets }));
  claude = new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0 });
};
const idsOf = async (list: AsyncIterable<{ readonly id: string }>) => {
  const ids: string[] = [];
  for await (const { id } of list) ids.push(id);
  return ids;
};

test('models are listed for both unmodified clients, each in its own shape', async () => {
  await start();
  expect(await idsOf(gateway.client.models.list())).toEqual(['default', 'big', 'main']);
  expect(await idsOf(claude.models.list())).toEqual(['default', 'big', 'main']);
  const one = await claude.models.retrieve('big');
  expect(one).toMatchObject({ type: 'model', id: 'big', display_name: 'big' });
  expect(Date.parse(one.created_at)).toBeGreaterThan(0);
});

test('models come in pages, forwards and backwards', async () => {
  const names = Array.from({ length: 45 }, (_, index) => `t${String(index).padStart(2, '0')}`);
  await start(names);
  expect(await idsOf(claude.models.list())).toEqual(['default', ...names]);
  expect(await idsOf(claude.models.list({ limit: 7 }))).toEqual(['default', ...names]);
  const back = await claude.models.list({ before_id: 't10', limit: 3 });
  expect(back.data.map(({ id }) => id)).toEqual(['t07', 't08', 't09']);
  expect(back.has_more).toBe(true);
  await expect(claude.models.list({ limit: 0 })).rejects.toMatchObject({ status: 400 });
});

test('a model that does not exist is 404 in the words of who asks', async () => {
  await start();
  const headers = { 'anthropic-version': '2023-06-01' };
  const refused = await fetch(`${gateway.url}/v1/models/nope`, { headers });
  expect(refused.status).toBe(404);
  expect(await refused.json()).toEqual({
    type: 'error',
    error: { type: 'not_found_error', message: 'The model nope does not exist.' },
    request_id: refused.headers.get('request-id'),
  });
  const other = await fetch(`${gateway.url}/v1/models/nope`);
  expect(await other.json()).toMatchObject({ error: { code: 'model_not_found', param: 'model' } });
});

test('a model is found by its provider and name as well, as a client encodes them', async () => {
  await start();
  const id = 'scripted/model-big';
  expect(await gateway.client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
  expect((await fetch(`${gateway.url}/v1/models/${id}`)).status).toBe(200);
  expect((await fetch(`${gateway.url}/v1/models/scripted%2Fnone`)).status).toBe(404);
  for (const path of ['x%2e%2e', 'x%5cy', '..%2f..%00']) {
    expect((await fetch(`${gateway.url}/v1/models/${path}`)).status).toBe(400);
  }
});
