import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../gateway/gateway-kit.ts';
import { anthropicAt, makeSnapshot } from '../gateway/snapshot.ts';
import { actor } from '../kit/actor.ts';
import { type Behaviour, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { askChat, chunksOf, dataOf } from './contract-kit.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (script: Behaviour = actor()) => {
  upstream.script(script);
  const targets = { claude: { provider: anthropicAt(upstream.url) } };
  gateway = await startGateway(makeSnapshot({ targets }));
};
/** What the upstream got for a chat, and what the client. */
const translate = async (more: Readonly<Record<string, unknown>>) => {
  const known = upstream.requests.length;
  const body = { model: 'default', messages: [{ role: 'user', content: 'hi' }], ...more };
  const got = await askChat(gateway.port, JSON.stringify(body));
  const sent = upstream.requests[known]?.body as Readonly<Record<string, unknown>>;
  return { got, sent };
};
const call = (id: string, text: string) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: text },
});
const usage = {
  input_tokens: 10,
  cache_read_input_tokens: 70,
  cache_creation_input_tokens: 20,
  output_tokens: 5,
};
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage,
};

describe('9 chat → Claude', () => {
  test('9 a 529 is a 503 to a client of OpenAI’s, who does not know it', async () => {
    await start(status(529, { type: 'error', error: { type: 'overloaded_error', message: 'x' } }));
    const { got } = await translate({});
    expect(got.status).toBe(503);
  });

  test('9 parallel tool results merge into one user message, in order', async () => {
    await start();
    const { sent } = await translate({
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: null, tool_calls: [call('a', '{"x":1}'), call('b', '')] },
        { role: 'tool', tool_call_id: 'a', content: 'A' },
        { role: 'tool', tool_call_id: 'b', content: 'B' },
        { role: 'user', content: 'and?' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    });
    const turns = sent.messages as { role: string; content: { type: string }[] }[];
    expect(turns.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    const results = turns[2]?.content as unknown as Record<string, unknown>[];
    expect(results.slice(0, 2)).toMatchObject([
      { type: 'tool_result', tool_use_id: 'a' },
      { type: 'tool_result', tool_use_id: 'b' },
    ]);
  });

  test('9 empty tool arguments are {}', async () => {
    await start();
    const { sent } = await translate({
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', tool_calls: [call('a', '')] },
        { role: 'tool', tool_call_id: 'a', content: 'A' },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
    });
    expect(JSON.stringify(sent.messages)).toContain('"input":{}');
    const [tool] = sent.tools as { input_schema: object }[];
    expect(tool?.input_schema).toMatchObject({ type: 'object' });
  });

  test('9 max_tokens gets a default, and a given one is kept', async () => {
    await start();
    expect((await translate({})).sent.max_tokens).toEqual(expect.any(Number));
    expect((await translate({ max_tokens: 7 })).sent.max_tokens).toBe(7);
    expect((await translate({ max_completion_tokens: 8 })).sent.max_tokens).toBe(8);
  });

  test('9 stop becomes an array', async () => {
    await start();
    expect((await translate({ stop: 'END' })).sent.stop_sequences).toEqual(['END']);
    expect((await translate({ stop: ['A', 'B'] })).sent.stop_sequences).toEqual(['A', 'B']);
  });

  test('9 cache tokens count in prompt_tokens', async () => {
    await start(status(200, message));
    const { got } = await translate({});
    expect(got.json()).toMatchObject({
      usage: {
        prompt_tokens: 100,
        completion_tokens: 5,
        total_tokens: 105,
        prompt_tokens_details: { cached_tokens: 70 },
      },
    });
    expect((await gateway.event()).tokens).toMatchObject({ in: 100, cached: 70, out: 5 });
  });

  test('9 usage is sent only when asked, as a chunk of its own before [DONE]', async () => {
    await start();
    const silent = await translate({ stream: true });
    expect(chunksOf(silent.got.body).some((chunk) => chunk.usage)).toBe(false);
    const asked = await translate({ stream: true, stream_options: { include_usage: true } });
    const chunks = chunksOf(asked.got.body);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 16 } });
    expect(dataOf(asked.got.body).at(-1)).toBe('[DONE]');
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  test('4d chunks of a translated stream have one id and created, and the role first', async () => {
    await start();
    const { got } = await translate({ stream: true });
    const chunks = chunksOf(got.body);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(new Set(chunks.map(({ created }) => created)).size).toBe(1);
    expect(chunks.every(({ object }) => object === 'chat.completion.chunk')).toBe(true);
    expect(chunks[0]?.choices?.[0]?.delta).toMatchObject({ role: 'assistant' });
    expect(chunks.at(-1)?.choices?.[0]?.finish_reason).toBe('stop');
  });

  test('what has no counterpart is named in x-hive-notes', async () => {
    await start();
    const { got } = await translate({ logit_bias: { 1: 2 }, seed: 7, n: 1 });
    expect(got.status).toBe(200);
    expect(got.header('x-hive-notes')).toMatch(/logit_bias/);
    expect(got.header('x-hive-notes')).toMatch(/seed/);
  });

  test('what of a whole answer has no counterpart is named in x-hive-notes too', async () => {
    const cited = { type: 'text', text: 'ok', citations: [{ type: 'page_location' }] };
    const searched = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    await start(status(200, { ...message, content: [searched, cited] }));
    const { got } = await translate({});
    expect(got.header('x-hive-notes')).toMatch(/answer\.content\.server_tool_use/);
    expect(got.header('x-hive-notes')).toMatch(/answer\.content\.text\.citations/);
    upstream.script(status(200, message));
    expect((await translate({})).got.header('x-hive-notes')).toBeNull();
  });

  test('x-hive-notes is a header whatever a field is called, and never breaks a call', async () => {
    await start();
    const odd = { 'ключ\r\nset-cookie: a=b': 1, '🐝': 'x', [`long${'x'.repeat(5000)}`]: 1 };
    const { got } = await translate({ ...odd, temperature: 1.5, stop: ' ' });
    expect(got.status).toBe(200);
    expect(got.header('set-cookie')).toBeNull();
    expect(got.header('x-hive-notes')).toMatch(/^[\x20-\x7e]+$/);
    expect(got.header('x-hive-notes')).toContain('temperature');
    const live = await translate({ ...odd, stream: true });
    expect(live.got.status).toBe(200);
  });

  test('9 all that has no counterpart is named; what is too long ends in dots', async () => {
    await start();
    const fields = (count: number) =>
      Array.from({ length: count }, (_, at) => [`x_field_${at}`, at + 1] as const);
    const named = async (count: number, pad = '') => {
      const given = fields(count).map(([name, value]) => [`${name}${pad}`, value] as const);
      const { got } = await translate(Object.fromEntries(given));
      return got.header('x-hive-notes');
    };
    const all = await named(30);
    for (const [name] of fields(30)) expect(all).toContain(`${name}: `);
    const cut = await named(30, 'x'.repeat(80));
    expect(cut).toHaveLength(2048);
    expect(cut).toMatch(/\.\.\.$/);
  });
});
