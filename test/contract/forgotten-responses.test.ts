import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { anthropicAt, openAiAt } from '../gateway/snapshot.ts';
import { openAiError, status, type Upstream } from '../kit/upstream.ts';
import { expectOpenAiError } from './contract-kit.ts';
import { pathsOf, storedStage } from './stored-stage.ts';

const stage = storedStage();
const { ask, providerOf, start } = stage;

describe('a response that nobody here remembers', () => {
  test('is asked of the first target of the agent that keeps any', async () => {
    const kept = await providerOf('kept');
    await stage.serve({
      targets: { claude: { provider: anthropicAt('http://127.0.0.1:1') }, kept: kept.url },
    });
    const got = await ask('GET', '/resp_elsewhere');
    expect([got.status, expectOpenAiError(got).message]).toEqual([
      404,
      "Response with id 'resp_elsewhere' not found.",
    ]);
    expect(pathsOf(kept)).toEqual(['GET /v1/responses/resp_elsewhere']);
  });

  /** As a process beside this one has it made, or the one before. */
  const madeAt = async (upstream: Upstream) => {
    const body = JSON.stringify({ model: 'm', input: 'hi' });
    const made = await fetch(`${upstream.url}/responses`, { method: 'POST', body });
    return ((await made.json()) as { id: string }).id;
  };

  test('is found where it is kept, and asked there from then on', async () => {
    const { a, b, client } = await start();
    const id = await madeAt(b);
    const { response } = await client.responses.retrieve(id).withResponse();
    expect(response.headers.get('x-hive-target')).toBe('b');
    expect(response.headers.get('x-hive-attempts')).toBe('2');
    await client.responses.inputItems.list(id);
    const going = { model: 'default', input: 'and?', previous_response_id: id };
    expect((await client.responses.create(going)).id).toMatch(/^resp_b_/);
    await client.responses.delete(id);
    expect(pathsOf(a)).toEqual([`GET /v1/responses/${id}`]);
  });

  test('is found at another agent’s provider, where its key may use that', async () => {
    const access = {
      mode: 'keys' as const,
      keys: Object.fromEntries(
        [null, ['default']].map((agents, at) => [
          hash('sha256', `sk-${at}`, 'hex'),
          { name: `k${at}`, tenant: 't', agents, asserts: [] },
        ]),
      ),
    };
    const agents = { default: { targets: ['a'] }, other: { targets: ['b'] } };
    const { b } = await start({ access, agents });
    const id = await madeAt(b);
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
    expect((await ask('GET', `/${id}`, bearer('sk-1'))).status).toBe(404);
    expect(b.requests).toHaveLength(1);
    expect((await ask('GET', `/${id}`, bearer('sk-0'))).status).toBe(200);
  });

  test('is found although another provider is down, and not called unknown by that', async () => {
    const { a, b, client } = await start();
    a.script((exchange) => exchange.cut('reset'));
    const id = await madeAt(b);
    expect((await client.responses.retrieve(id)).id).toBe(id);
    const lost = await ask('GET', '/resp_a_1');
    expect([lost.status, lost.header('x-hive-target')]).toEqual([502, 'a']);
    const unlike = status(400, openAiError(400, 'not an id of ours'));
    a.script(unlike);
    b.script(unlike);
    expect((await ask('GET', '/resp_c_1')).status).toBe(400);
  });

  test('is asked of one target of a provider', async () => {
    const kept = await providerOf('kept');
    const provider = openAiAt(kept.url);
    await stage.serve({ targets: { small: { provider }, large: { provider } } });
    expect((await ask('GET', '/resp_1')).status).toBe(404);
    expect(kept.requests).toHaveLength(1);
  });

  test('is asked of the target that is named', async () => {
    const { a, b } = await start();
    await ask('GET', '/resp_elsewhere', { 'x-hive-target': 'b' });
    expect([a.requests.length, b.requests.length]).toEqual([0, 1]);
  });

  test('is a 404 where no target keeps any', async () => {
    await stage.serve({ targets: { claude: { provider: anthropicAt('http://127.0.0.1:1') } } });
    const got = await ask('GET', '/resp_1');
    expect([got.status, expectOpenAiError(got).code]).toEqual([404, 'not_found']);
  });
});
