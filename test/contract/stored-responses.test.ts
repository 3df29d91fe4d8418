import { hash } from 'node:crypto';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { until } from '../kit/until.ts';
import { expectOpenAiError } from './contract-kit.ts';
import { pathsOf, storedStage } from './stored-stage.ts';

const stage = storedStage();
const { ask, start } = stage;
const at = (target: string) => ({ headers: { 'x-hive-target': target } });
const make = (client: OpenAI, target: string, input = 'hi') =>
  client.responses.create({ model: 'default', input }, at(target));

describe('a response that was made here', () => {
  test('is read, listed, cancelled and deleted where it was made', async () => {
    const { a, b, client } = await start();
    const { id } = await make(client, 'b');
    const { data, response } = await client.responses.retrieve(id).withResponse();
    expect(data.output_text).toBe(`said by ${id}`);
    expect(response.headers.get('x-hive-target')).toBe('b');
    expect(response.headers.get('x-request-id')).toBeTruthy();
    const items = await client.responses.inputItems.list(id, { limit: 5, order: 'asc' });
    expect(items.data).toHaveLength(1);
    expect((await client.responses.cancel(id)).status).toBe('cancelled');
    await client.responses.delete(id);
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('not found') as string,
    });
    expect(a.requests).toEqual([]);
    expect(pathsOf(b).slice(1)).toEqual([
      `GET /v1/responses/${id}`,
      `GET /v1/responses/${id}/input_items?limit=5&order=asc`,
      `POST /v1/responses/${id}/cancel`,
      `DELETE /v1/responses/${id}`,
      `GET /v1/responses/${id}`,
    ]);
    expect(b.requests.at(-1)?.headers).toMatchObject({ authorization: 'Bearer sk-upstream' });
  });

  test('is streamed again, from where the client left off', async () => {
    const { b, client } = await start();
    const { id } = await make(client, 'b');
    const types: string[] = [];
    const query = { stream: true, starting_after: 3 } as const;
    for await (const event of await client.responses.retrieve(id, query)) types.push(event.type);
    expect(types).toEqual(['response.created', 'response.completed']);
    expect(pathsOf(b).at(-1)).toBe(`GET /v1/responses/${id}?stream=true&starting_after=3`);
    expect(b.requests.at(-1)?.headers.accept).toBe('text/event-stream');
  });

  test('that failed is told as it is, and is no failure of the request', async () => {
    const { client } = await start();
    const stream = await client.responses.create(
      { model: 'default', input: 'fail', stream: true, background: true },
      at('b'),
    );
    let id = '';
    for await (const event of stream) if ('response' in event) id = event.response.id;
    expect(await client.responses.retrieve(id)).toMatchObject({
      status: 'failed',
      error: { message: 'it broke' },
    });
    const types: string[] = [];
    for await (const event of await client.responses.retrieve(id, { stream: true })) {
      types.push(event.type);
    }
    expect(types).toEqual(['response.created', 'response.failed']);
  });

  test('is known while its stream goes on', async () => {
    const { a, client } = await start();
    const stream = await client.responses.create(
      { model: 'default', input: 'wait', stream: true, background: true },
      at('b'),
    );
    for await (const event of stream) {
      if (event.type !== 'response.created') continue;
      const cancelled = await client.responses.cancel(event.response.id);
      expect(cancelled.status).toBe('cancelled');
      break;
    }
    expect(a.requests).toEqual([]);
  });

  test('in the background is passed on from its first event, before any token', async () => {
    const { a, b, client } = await start({ timeouts: { first_token_ms: 200 } });
    const created = await client.responses.create(
      { model: 'default', input: 'wait', stream: true, background: true },
      at('b'),
    );
    const first = await created[Symbol.asyncIterator]().next();
    expect(first.value).toMatchObject({ type: 'response.created' });
    created.controller.abort();
    expect([a.requests.length, b.requests.length]).toEqual([0, 1]);
  });

  test('leaves no record of a call, and no breaker learns of it', async () => {
    const { client } = await start();
    const { id } = await make(client, 'b');
    await stage.gateway.event();
    await client.responses.retrieve(id);
    await client.responses.delete(id);
    await make(client, 'b');
    await stage.gateway.event(2);
    expect(stage.gateway.events()).toHaveLength(2);
    expect(stage.gateway.gateway.callsOpen()).toBe(0);
  });
});

describe('access', () => {
  const key = (text: string, tenant: string, agents: readonly string[] | null = null) =>
    [hash('sha256', text, 'hex'), { name: text, tenant, agents, asserts: [] }] as const;
  const access = {
    mode: 'keys' as const,
    keys: Object.fromEntries([
      key('sk-acme', 'acme'),
      key('sk-clerk', 'acme', ['clerk']),
      key('sk-rival', 'rival'),
    ]),
  };
  const as = (name: string) =>
    new OpenAI({ baseURL: `${stage.gateway.url}/v1`, apiKey: name, maxRetries: 0 });

  test('a response is unknown to another tenant, and to a key without its agent', async () => {
    const { a, b } = await start({ access, agents: { default: {}, clerk: {} } });
    const { id } = await make(as('sk-acme'), 'b');
    const before = b.requests.length;
    for (const name of ['sk-rival', 'sk-clerk']) {
      const client = as(name);
      const unknown = { status: 404, message: expect.stringContaining(id) as string };
      await expect(client.responses.retrieve(id)).rejects.toMatchObject(unknown);
      await expect(client.responses.delete(id)).rejects.toMatchObject(unknown);
      await expect(client.responses.cancel(id)).rejects.toMatchObject(unknown);
      await expect(client.responses.inputItems.list(id)).rejects.toMatchObject(unknown);
    }
    const going = { model: 'default', input: 'and?', previous_response_id: id };
    await expect(as('sk-rival').responses.create(going)).rejects.toMatchObject({
      status: 400,
      param: 'previous_response_id',
    });
    expect([a.requests.length, b.requests.length]).toEqual([0, before]);
    expect((await as('sk-acme').responses.retrieve(id)).id).toBe(id);
    await expect(as('sk-none').responses.retrieve(id)).rejects.toMatchObject({ status: 401 });
  });
});

describe('what is asked of a response', () => {
  test.each([
    ['GET', '/resp_1/output', 404],
    ['GET', '/', 404],
    ['GET', '/resp_1/cancel/', 404],
    ['GET', '/resp%201', 400],
    ['GET', '/resp.1', 400],
    ['DELETE', `/${'x'.repeat(257)}`, 400],
    ['GET', '/..%2fmodels', 400],
    ['GET', '/../models', 400],
    ['GET', `/resp_1?${'a=b&'.repeat(40)}`, 400],
    ['POST', '/resp_1', 405],
    ['PUT', '/resp_1', 405],
    ['GET', '/resp_1/cancel', 405],
    ['DELETE', '/resp_1/input_items', 405],
    ['GET', '/compact', 405],
  ])('%s %s is %i, and no provider hears of it', async (method, path, status) => {
    const { a, b } = await start();
    const got = await ask(method, path);
    expect([got.status, a.requests.length, b.requests.length]).toEqual([status, 0, 0]);
    expectOpenAiError(got);
  });

  test('goes on with its query written anew', async () => {
    const { a } = await start();
    await ask('GET', "/resp_1?include[]=a%20b&include[]=c&x=%0d%0a&y='%23");
    expect(pathsOf(a)).toEqual([
      'GET /v1/responses/resp_1?include%5B%5D=a+b&include%5B%5D=c&x=%0D%0A&y=%27%23',
    ]);
  });

  test('is read once more where the connection broke, and never done twice', async () => {
    const { a } = await start();
    a.script((exchange) => exchange.cut('reset'));
    expect((await ask('GET', '/resp_1')).status).toBe(502);
    expect(a.requests).toHaveLength(2);
    expect((await ask('POST', '/resp_1/cancel')).status).toBe(502);
    expect((await ask('DELETE', '/resp_1')).status).toBe(502);
    expect(a.requests).toHaveLength(4);
  });

  test('ends upstream when the client leaves', async () => {
    const { a } = await start();
    a.script((exchange) => exchange.over);
    const controller = new AbortController();
    const asking = fetch(`${stage.gateway.url}/v1/responses/resp_1`, { signal: controller.signal });
    const seen = await until(() => a.requests[0], { what: 'the request' });
    controller.abort();
    await expect(asking).rejects.toThrow();
    await until(() => seen.aborted, { what: 'the end upstream' });
  });

  test('takes no longer than the client allows', async () => {
    const { a } = await start();
    a.script((exchange) => exchange.over);
    const got = await ask('GET', '/resp_1', { 'x-hive-timeout-ms': '50' });
    expect([got.status, expectOpenAiError(got).code]).toEqual([504, 'upstream_timeout']);
  });
});

describe('tokens and compaction', () => {
  test('are calls, asked of the provider of the response that they go on from', async () => {
    const { a, b, client } = await start();
    const { id } = await make(client, 'b');
    const going = { model: 'default', previous_response_id: id };
    expect((await client.responses.inputTokens.count(going)).input_tokens).toBe(11);
    const compacted = await client.responses.compact(going);
    expect(compacted.object).toBe('response.compaction');
    expect(a.requests).toEqual([]);
    expect(pathsOf(b).slice(1)).toEqual([
      'POST /v1/responses/input_tokens',
      'POST /v1/responses/compact',
    ]);
    expect(b.requests.at(-1)?.body.model).toBe('model-b');
    expect(await stage.gateway.event(3)).toMatchObject({
      outcome: 'ok',
      tokens: { in: 40, out: 4, estimated: false },
    });
  });
});
