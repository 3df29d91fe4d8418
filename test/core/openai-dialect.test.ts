import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  chunksOf,
  factsOf,
  fixture,
  make,
  requestFor,
  sent,
  textOf,
} from '../providers/provider-kit.ts';

const openai = make('openai', { api_key: 'k' });

describe('openai dialect', () => {
  test.each([
    ['chat.completions', '/v1/chat/completions'],
    ['responses', '/v1/responses'],
    ['completions', '/v1/completions'],
    ['embeddings', '/v1/embeddings'],
    ['moderations', '/v1/moderations'],
    ['messages', '/v1/chat/completions'],
  ] as const)('openai dialect asks for %s at %s', (endpoint, path) => {
    expect(openai.endpoints).toContain(endpoint);
    expect(sent(openai, requestFor(endpoint, { model: 'a', max_tokens: 1 })).path).toBe(path);
  });

  test('openai dialect leaves the policy’s defaults out where the model would refuse them', () => {
    const patch = { temperature: 0.2, logit_bias: {}, reasoning_effort: 'low', max_tokens: 5 };
    const fields = (model: string, more: object = {}) => {
      const request = requestFor('chat.completions', { model: 'a', ...more }, { patch, model });
      const { json, notes } = sent(openai, request);
      const { model: _model, ...rest } = json;
      return [rest, notes];
    };
    const { reasoning_effort, max_tokens, ...sampling } = patch;
    expect(fields('gpt-4o')).toEqual([{ ...sampling, max_tokens }, ['reasoning_effort']]);
    expect(fields('gpt-5-mini')).toEqual([
      { reasoning_effort, max_completion_tokens: 5 },
      ['temperature', 'logit_bias'],
    ]);
    // What the client sent itself stays its own affair.
    expect(fields('gpt-5-mini', { temperature: 1, max_tokens: 9 })).toEqual([
      { reasoning_effort, temperature: 0.2, max_tokens: 5 },
      ['logit_bias'],
    ]);
    // These take sampling where they do not think.
    const { temperature: _temperature, ...unsampled } = patch;
    expect(fields('gpt-5.1')).toEqual([unsampled, ['temperature']]);
    const off = { reasoning_effort: 'none' };
    expect(fields('gpt-5.1', off)[1]).toEqual(['temperature']);
    const { reasoning_effort: _effort, ...others } = patch;
    const plain = requestFor('chat.completions', off, { patch: others, model: 'gpt-5.1' });
    expect(sent(openai, plain).notes).toEqual([]);
  });

  test('openai dialect sends a response’s bytes as they came, without options of its own', () => {
    const raw = '{"model":"a", "input":[{"id":9223372036854775807}], "stream":true}';
    const relayed = { 'openai-beta': 'responses=v1', 'anthropic-beta': 'x' };
    const { text, headers } = sent(openai, requestFor('responses', raw, { relayed }));
    expect(text).toBe(raw.replace('"a"', '"m"'));
    expect(headers['openai-beta']).toBe('responses=v1');
    expect(headers).not.toHaveProperty('anthropic-beta');
  });

  test('openai dialect relays a stream of a response and knows its last event', () => {
    const stream = fixture('openai-responses.sse');
    const chunks = chunksOf(openai, stream, { endpoint: 'responses' });
    expect(textOf(chunks)).toBe(stream.toString());
    expect(chunks.map(({ done }) => done)).toEqual([false, false, false, false, true]);
    expect(chunks.map(({ content }) => content)).toEqual([false, false, true, false, false]);
    expect(factsOf(chunks)).toEqual({
      completion_id: 'resp_67c9fdcecf488190',
      model: 'gpt-4.1-2025-04-14',
      finish: 'stop',
      tokens: { in: 37, cached: 8, out: 11, estimated: false },
    });
  });

  test.each([
    ['{"type":"response.failed","response":{"error":{"code":"server_error","message":"m"}}}', 'm'],
    ['{"type":"error","code":"rate_limit_exceeded","message":"slow","param":null}', 'slow'],
    ['{"error":{"message":"broken"}}', 'broken'],
  ])('openai dialect finds the error of a response in %s', (data, message) => {
    const event = Buffer.from(`event: x\ndata: ${data}\n\n`);
    const [chunk] = chunksOf(openai, event, { endpoint: 'responses' });
    expect(chunk?.error).toMatchObject({ message });
  });

  test('openai dialect tells of an incomplete response what cut it', () => {
    const facts = (incomplete_details: object) => {
      const body = { id: 'r', status: 'incomplete', incomplete_details, model: 'g' };
      const decoded = openai.decode(answerOf(body, { endpoint: 'responses' }));
      return decoded.ok && decoded.facts.finish;
    };
    expect(facts({ reason: 'max_output_tokens' })).toBe('length');
    expect(facts({ reason: 'content_filter' })).toBe('content_filter');
  });

  test('openai dialect counts the tokens of embeddings and keeps their bytes', () => {
    const body = [
      '{"data":[{"embedding":[0.0023064255123456789]}],"model":"e",',
      '"usage":{"prompt_tokens":8,"total_tokens":8}}',
    ].join('');
    const answer = answerOf(body, { endpoint: 'embeddings' });
    expect(openai.decode(answer)).toMatchObject({
      ok: true,
      body: answer.body,
      facts: { model: 'e', tokens: { in: 8, out: 0 } },
    });
    expect(openai.decode(answerOf('[]', { endpoint: 'moderations' })).ok).toBe(false);
  });

  test('openai dialect finds the first text of older completions', () => {
    const event = Buffer.from('data: {"id":"c","choices":[{"index":0,"text":"a"}]}\n\n');
    expect(chunksOf(openai, event, { endpoint: 'completions' })[0]?.content).toBe(true);
  });

  test('openai dialect answers Anthropic’s clients in their words, long integers kept', () => {
    const decoded = openai.decode(answerOf(fixture('openai-chat.json'), { endpoint: 'messages' }));
    const text = decoded.ok ? Buffer.from(decoded.body).toString() : '';
    expect(text).toContain('"station":9223372036854775807');
    expect(JSON.parse(text)).toMatchObject({
      type: 'message',
      stop_reason: 'tool_use',
      content: [
        { type: 'tool_use', id: 'call_abc123', input: { location: 'Boston, MA' } },
        { type: 'tool_use', id: 'call_def456', name: 'now', input: {} },
      ],
      usage: { input_tokens: 18, cache_read_input_tokens: 64, output_tokens: 17 },
    });
    expect(decoded).toMatchObject({ facts: { finish: 'tool_calls', tokens: { in: 82 } } });
  });

  test('openai dialect puts what plugins set into a translated request, and removes', () => {
    const body = { max_tokens: 9, top_p: 0.5, messages: [{ role: 'user', content: 'a' }] };
    const patch = { temperature: 0.1, top_p: null };
    expect(sent(openai, requestFor('messages', body, { patch })).json).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'a' }],
      max_completion_tokens: 9,
      temperature: 0.1,
    });
  });

  test('openai dialect never throws, whatever arrives at whatever endpoint', () => {
    const endpoint = fc.constantFrom(
      'chat.completions',
      'responses',
      'completions',
      'embeddings',
      'moderations',
      'messages',
    );
    fc.assert(
      fc.property(endpoint, fc.json(), (asked, json) => {
        const stream = [
          `data: ${json}\n\n`,
          `data: {"choices":${json},"usage":${json}}\n\n`,
          `data: {"choices":[{"delta":${json}}]}\n\n`,
          `data: {"choices":[{"delta":{"tool_calls":[${json}]}}]}\n\n`,
          `data: {"type":"response.completed","response":${json}}\n\n`,
          'data: [DONE]\n\n',
        ];
        chunksOf(openai, Buffer.from(stream.join('')), { endpoint: asked });
        for (const body of [json, `{"choices":[{"message":${json}}],"usage":${json}}`]) {
          expect(openai.decode(answerOf(body, { endpoint: asked }))).toHaveProperty('ok');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('openai dialect’s translation never throws, whatever a client sends', () => {
    const field = fc.constantFrom('tools', 'system', 'thinking', 'tool_choice');
    fc.assert(
      fc.property(fc.json(), fc.json(), field, (json, other, name) => {
        const turns = [
          json,
          `{"role":"user","content":[${json},${other}]}`,
          `{"role":"assistant","content":[${other}],"tool_calls":[${json}]}`,
        ];
        const raw = `{"messages":[${turns.join()}],"${name}":${other},"tools":[${json}]}`;
        expect(sent(openai, requestFor('messages', raw)).path).toBe('/v1/chat/completions');
        const anthropic = make('anthropic');
        expect(sent(anthropic, requestFor('chat.completions', raw)).path).toBe('/v1/messages');
      }),
      { numRuns: 200 },
    );
  });
});
