import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Plugin } from '../../src/core/plugin.ts';
import { openAiEndpoints } from '../kit/openai-endpoints.ts';
import { startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { anthropicAt, makeSnapshot, openAiAt } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream(openAiEndpoints());
});
afterEach(() => {
  upstream.script(openAiEndpoints());
  return gateway.close();
});
afterAll(() => upstream.close());

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

const start = async (more: Spec = {}) => {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }));
};
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const model = 'default';

describe('the unmodified client', () => {
  test('gets responses, whole and streamed', async () => {
    await start();
    const whole = await gateway.client.responses.create({ model, input: 'hi' });
    expect(whole.output_text).toBe('two words');
    expect(await gateway.event()).toMatchObject({
      outcome: 'ok',
      completion_id: 'resp_1',
      finish: 'stop',
      tokens: { in: 7, cached: 3, out: 2, estimated: false },
    });
    const stream = gateway.client.responses.stream({ model, input: 'hi' });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types.at(-1)).toBe('response.completed');
    expect((await stream.finalResponse()).output_text).toBe('two words');
    expect((await gateway.event(2)).tokens.out).toBe(2);
  });

  test('gets completions, embeddings and moderations', async () => {
    await start();
    const { client } = gateway;
    const completion = await client.completions.create({ model, prompt: 'hi' });
    expect(completion.choices[0]?.text).toBe('two words');
    const texts: string[] = [];
    for await (const chunk of await client.completions.create({
      model,
      prompt: 'hi',
      stream: true,
    }))
      texts.push(chunk.choices[0]?.text ?? '');
    expect(texts.join('')).toBe('two words');
    const embedded = await client.embeddings.create({
      model,
      input: 'a',
      encoding_format: 'float',
    });
    expect(embedded.data[0]?.embedding).toEqual([0.5, -1]);
    const moderated = await client.moderations.create({ input: 'a' });
    expect(moderated.results[0]?.flagged).toBe(false);
    const paths = upstream.requests.slice(-4).map(({ path }) => path.slice(3));
    expect(paths).toEqual(['/completions', '/completions', '/embeddings', '/moderations']);
  });

  test('throws where a stream of responses broke off', async () => {
    await start();
    const stream = await gateway.client.responses.create({ model, input: 'cut', stream: true });
    const reading = (async () => {
      for await (const _event of stream);
    })();
    await expect(reading).rejects.toThrow('The upstream ended its answer too early.');
  });
});

describe('a stream of responses', () => {
  test('ends with the upstream’s last event, byte for byte and without [DONE]', async () => {
    await start();
    const through = await (await post('responses', { model, input: 'hi', stream: true })).text();
    const direct = await fetch(`${upstream.url}/responses`, {
      method: 'POST',
      body: JSON.stringify({ model: 'model-main', input: 'hi', stream: true }),
    });
    expect(through).toBe(await direct.text());
    expect(through).not.toContain('[DONE]');
  });

  test('that broke off ends with an error event in its dialect', async () => {
    await start();
    const text = await (await post('responses', { model, input: 'cut', stream: true })).text();
    const [name, data] = text.trimEnd().split('\n').slice(-2);
    expect(name).toBe('event: error');
    expect(JSON.parse(data?.slice('data: '.length) ?? '')).toMatchObject({
      type: 'error',
      code: 'upstream_cut',
      message: 'The upstream ended its answer too early.',
      param: null,
      sequence_number: 4,
      error: { type: 'server_error', code: 'upstream_cut' },
    });
    expect(text).not.toContain('[DONE]');
    expect(await gateway.event()).toMatchObject({ outcome: 'error' });
  });

  test('that failed ends with the upstream’s own word on it, and is an error', async () => {
    await start();
    const failed = { id: 'r', status: 'failed', error: { code: 'server_error', message: 'Oops' } };
    upstream.script(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [type, body] of Object.entries({
        'response.output_text.delta': { id: 'r', status: 'in_progress', error: null },
        'response.failed': failed,
      })) {
        response.write(`event: ${type}\ndata: ${JSON.stringify({ type, response: body })}\n\n`);
      }
      response.end();
    });
    const text = await (await post('responses', { model, input: 'hi', stream: true })).text();
    const data = { type: 'response.failed', response: failed };
    expect(text.endsWith(`event: response.failed\ndata: ${JSON.stringify(data)}\n\n`)).toBe(true);
    expect(await gateway.event()).toMatchObject({
      outcome: 'error',
      attempts: [{ outcome: 'error' }],
    });
  });

  test('keeps the names of events that plugins change', async () => {
    const plugin: Plugin = { onChunk: (chunk) => ({ ...chunk, seen: true }) };
    await start({ plugins: [{ id: 'see', plugin }] });
    const text = await (await post('responses', { model, input: 'hi', stream: true })).text();
    expect(text).toContain('event: response.completed\ndata: {"type":"response.completed"');
    expect(text.match(/"seen":true/g)).toHaveLength(6);
  });
});

describe('any endpoint', () => {
  const bodies: Record<string, string> = {
    responses: '"input":"hi"',
    completions: '"prompt":"hi"',
    embeddings: '"input":["hi"]',
    moderations: '"input":"hi"',
  };

  test.each(Object.keys(bodies))('%s passes what it does not know byte for byte', async (path) => {
    await start({ agents: { default: { entry: { params: {} } } } });
    const body = `{"model":"default", ${bodies[path]},"big":12345678901234567890,"x":null }`;
    const response = await fetch(`${gateway.url}/v1/${path}`, { method: 'POST', body });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-hive-target')).toBe('main');
    const sent = upstream.requests.at(-1)?.raw.toString();
    expect(sent).toBe(body.replace('"default"', '"model-main"'));
  });

  test.each(Object.keys(bodies))('%s answers errors in OpenAI’s words', async (path) => {
    await start();
    const bad = await fetch(`${gateway.url}/v1/${path}`, { method: 'POST', body: '{' });
    expect([bad.status, await bad.json()]).toMatchObject([
      400,
      { error: { code: 'invalid_json' } },
    ]);
    expect((await fetch(`${gateway.url}/v1/${path}`)).status).toBe(405);
    upstream.script(status(400, { error: { message: 'no', type: 't', param: 'p', code: null } }));
    const refused = await post(path, JSON.parse(`{"model":"default",${bodies[path]}}`));
    const error = { message: 'no', type: 't', param: 'p', code: null };
    expect([refused.status, await refused.json()]).toEqual([400, { error }]);
  });

  test('an agent’s params go only where answers are made', async () => {
    const params = { temperature: 0.2 };
    await start({ agents: { default: { entry: { params } } } });
    await post('embeddings', { model, input: 'hi' });
    expect(upstream.requests.at(-1)?.body).not.toHaveProperty('temperature');
    await post('responses', { model, input: 'hi' });
    expect(upstream.requests.at(-1)?.body).toHaveProperty('temperature', 0.2);
  });

  test('responses get the client’s betas, and conversations are known', async () => {
    await start();
    const input = [{ role: 'user', content: 'hi' }];
    await post('responses', { model, instructions: 'Be kind.', input }, { 'openai-beta': 'a=v1' });
    expect(upstream.requests.at(-1)?.headers['openai-beta']).toBe('a=v1');
    const longer = [...input, { role: 'assistant', content: 'x' }, { role: 'user', content: 'on' }];
    await post('responses', { model, instructions: 'Be kind.', input: longer });
    const [first, second] = [await gateway.event(1), await gateway.event(2)];
    expect(first.unit).toMatch(/^c:/);
    expect(second).toMatchObject({ unit: first.unit, relation: 'turn', parent: first.id });
    await post('embeddings', { model, input: 'hi' });
    expect((await gateway.event(3)).unit).toMatch(/^r:/);
  });
});

describe('targets that lack an endpoint', () => {
  test('are skipped, and 404 says so where none is left', async () => {
    const claude = { provider: anthropicAt('http://127.0.0.1:1') };
    const targets = { claude, main: { provider: openAiAt(upstream.url) } };
    const agents = { default: {}, only: { targets: ['claude'] } };
    await start({ targets, agents });
    for (let call = 0; call < 3; call += 1) {
      expect((await post('embeddings', { model, input: 'hi' })).status).toBe(200);
    }
    expect((await gateway.event()).attempts).toHaveLength(1);
    const none = await post('embeddings', { model: 'only', input: 'hi' });
    expect(none.status).toBe(404);
    expect(await none.json()).toEqual({
      error: {
        message: 'No target of agent only serves /v1/embeddings.',
        type: 'invalid_request_error',
        param: 'model',
        code: 'not_found',
      },
    });
    const pinned = await post('embeddings', { model: 'claude', input: 'hi' });
    expect([pinned.status, await pinned.json()]).toMatchObject([
      404,
      { error: { message: 'The target claude does not serve /v1/embeddings.' } },
    ]);
    expect(gateway.events()).toHaveLength(3);
  });
});
