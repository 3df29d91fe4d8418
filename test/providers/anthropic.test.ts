import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/canonical.ts';
import {
  answerOf,
  chunksOf,
  dataOf,
  factsOf,
  fixture,
  make,
  requestFor,
  sent,
  textOf,
} from './provider-kit.ts';

const anthropic = make('anthropic', { api_key: 'sk-ant' });
const messages = { model: 'agent', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };

describe('anthropic encodes', () => {
  test('anthropic sends messages as they came, with its key and the client’s version', () => {
    const raw = '{"model":"agent","max_tokens":9, "messages":[],"new":9223372036854775807}';
    const relayed = {
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'a-2026-01-01,b',
      'openai-organization': 'org',
    };
    const { path, headers, text } = sent(anthropic, requestFor('messages', raw, { relayed }));
    expect(path).toBe('/v1/messages');
    expect(text).toBe(raw.replace('"agent"', '"m"'));
    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'a-2026-01-01,b',
      'x-api-key': 'sk-ant',
    });
  });

  test('anthropic counts tokens at their own path, and names a version for who names none', () => {
    const { path, headers } = sent(anthropic, requestFor('messages.count_tokens', messages));
    expect(path).toBe('/v1/messages/count_tokens');
    expect(headers['anthropic-version']).toBe('2023-06-01');
  });

  test('anthropic translates a chat completion in the version that takes its parameters', () => {
    const relayed = { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'x' };
    const chat = { model: 'a', temperature: 0.2, stream: true, messages: messages.messages };
    const request = requestFor('chat.completions', chat, { relayed });
    const { path, headers, json } = sent(anthropic, request);
    expect(path).toBe('/v1/messages');
    expect(headers['anthropic-version']).toBe('2023-06-01');
    expect(headers).not.toHaveProperty('anthropic-beta');
    expect(headers.accept).toBe('text/event-stream');
    expect(json).toEqual({
      model: 'm',
      max_tokens: 4096,
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      temperature: 0.2,
    });
  });

  test.each(['https://api.anthropic.com', 'https://api.anthropic.com/v1/'])(
    'anthropic takes the base URL %s',
    (base_url) => {
      expect(make('anthropic', { base_url }).base_url).toBe('https://api.anthropic.com/v1');
    },
  );

  test('anthropic takes thinking back only with a signature, and says so', () => {
    const content = [
      { type: 'thinking', thinking: 'of another provider', signature: '' },
      { type: 'text', text: 'yes' },
    ];
    const body = { ...messages, messages: [{ role: 'assistant', content }] };
    const { json, notes } = sent(anthropic, requestFor('messages', body));
    expect(json.messages).toEqual([
      { role: 'assistant', content: [{ type: 'text', text: 'yes' }] },
    ]);
    expect(notes).toEqual(['messages.thinking']);
  });
});

describe('anthropic decodes', () => {
  test('anthropic hands its own answers on and reads them in the record’s words', () => {
    const body = fixture('anthropic-message.json');
    const decoded = anthropic.decode(answerOf(body, { endpoint: 'messages' }));
    expect(decoded).toEqual({
      ok: true,
      body,
      facts: {
        completion_id: 'msg_01Ye4uvfhrXgK7HdHqyUJRNC',
        model: 'claude-sonnet-4-5-20250929',
        finish: 'tool_calls',
        tokens: { in: 2160, cached: 2048, written: 100, out: 88, estimated: false },
        adapter: null,
        said: { text: "I'll look up both.", tools: 2 },
      },
    });
  });

  test('anthropic’s answer becomes a chat completion, its long integers and signature kept', () => {
    const decoded = anthropic.decode(answerOf(fixture('anthropic-message.json')));
    const text = decoded.ok ? Buffer.from(decoded.body).toString() : '';
    expect(JSON.parse(text)).toMatchObject({
      id: 'chatcmpl-01Ye4uvfhrXgK7HdHqyUJRNC',
      object: 'chat.completion',
      created: 1_700_000_000,
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: "I'll look up both.",
            reasoning_content: 'The user wants the weather in two places.',
            thinking_blocks: [{ type: 'thinking', signature: 'EqQBCkYICRgCKkDvBm1a' }],
            tool_calls: [
              { id: 'toolu_01A09q90qw90lq917835lq9', type: 'function' },
              { id: 'toolu_01B12', function: { name: 'get_time', arguments: '{}' } },
            ],
          },
        },
      ],
      usage: {
        prompt_tokens: 2160,
        completion_tokens: 88,
        total_tokens: 2248,
        prompt_tokens_details: { cached_tokens: 2048, cache_write_tokens: 100 },
      },
    });
    expect(text).toContain('\\"station\\":9223372036854775807');
  });

  test('anthropic’s prompt that is too long is of the class context_length', () => {
    const answer = answerOf(fixture('anthropic-too-long.json'), { status: 400 });
    expect(anthropic.decode(answer)).toMatchObject({
      ok: false,
      error: {
        class: 'context_length',
        status: 400,
        retryable: false,
        body: { error: { type: 'invalid_request_error', param: null, code: null } },
      },
    });
  });
});

describe('anthropic decodes streams', () => {
  test('anthropic’s stream becomes chunks of a chat completion, event for event', () => {
    const chunks = chunksOf(anthropic, fixture('anthropic-text.sse'));
    const text = textOf(chunks);
    const data = dataOf(text);
    expect(data[0]).toEqual({
      id: 'chatcmpl-014p7gG3wDgGV9EUtLvnow3U',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'claude-sonnet-4-5-20250929',
      choices: [
        {
          index: 0,
          delta: { role: 'assistant', content: '', refusal: null },
          logprobs: null,
          finish_reason: null,
        },
      ],
      usage: null,
    });
    const said = data.flatMap(({ choices }) => choices as JsonObject[]).map(({ delta }) => delta);
    expect(said.slice(1)).toEqual([{ content: 'Grüße' }, { content: ' 👋!' }, {}]);
    expect(data.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 35, completion_tokens: 15, total_tokens: 50 },
    });
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(text).toContain(': ping\n\n');
    expect(chunks.filter(({ content }) => content).length).toBe(2);
    expect(chunks.filter(({ done }) => done).length).toBe(1);
    expect(factsOf(chunks)).toEqual({
      completion_id: 'chatcmpl-014p7gG3wDgGV9EUtLvnow3U',
      model: 'claude-sonnet-4-5-20250929',
      finish: 'stop',
      tokens: { in: 35, cached: 10, out: 15, estimated: false },
      said: { text: ' 👋!' },
    });
  });

  test('anthropic’s usage goes only to who asked for it', () => {
    const start = { include_usage: false };
    const data = dataOf(textOf(chunksOf(anthropic, fixture('anthropic-text.sse'), start)));
    expect(data.every((chunk) => !('usage' in chunk))).toBe(true);
  });

  test('anthropic’s thinking and tools reach the client in order, none without arguments', () => {
    const data = dataOf(textOf(chunksOf(anthropic, fixture('anthropic-tools.sse'))));
    const deltas = data.flatMap(({ choices }) => choices as JsonObject[]).map(({ delta }) => delta);
    expect(deltas.slice(1)).toEqual([
      {
        reasoning_content: 'Two calls',
        thinking_blocks: [{ index: 0, type: 'thinking', thinking: 'Two calls' }],
      },
      {
        reasoning_content: ' are needed.',
        thinking_blocks: [{ index: 0, type: 'thinking', thinking: ' are needed.' }],
      },
      {
        thinking_blocks: [
          { index: 0, type: 'thinking', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h' },
        ],
      },
      { thinking_blocks: [{ index: 1, type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix' }] },
      { content: 'Checking.' },
      {
        tool_calls: [
          {
            index: 0,
            id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6',
            type: 'function',
            function: { name: 'get_weather', arguments: '' },
          },
        ],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"location":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ' "San Francisco, CA"}' } }] },
      {
        tool_calls: [
          {
            index: 1,
            id: 'toolu_02',
            type: 'function',
            function: { name: 'get_time', arguments: '' },
          },
        ],
      },
      { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
      {
        whole_thinking_blocks: [
          {
            type: 'thinking',
            thinking: 'Two calls are needed.',
            signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h',
          },
          { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix' },
        ],
      },
      {},
    ]);
  });

  test('anthropic’s own clients get its events byte for byte', () => {
    for (const name of ['anthropic-text.sse', 'anthropic-tools.sse']) {
      const stream = fixture(name);
      const chunks = chunksOf(anthropic, stream, { endpoint: 'messages' });
      expect(textOf(chunks)).toBe(stream.toString());
      expect(chunks.at(-1)?.done).toBe(true);
    }
  });

  test('anthropic’s error amid a stream is an overload, whoever asked', () => {
    for (const endpoint of ['messages', 'chat.completions'] as const) {
      const chunks = chunksOf(anthropic, fixture('anthropic-overloaded.sse'), { endpoint });
      expect(chunks.at(-1)?.error).toMatchObject({
        code: 'overloaded',
        class: 'unavailable',
        message: 'Overloaded',
      });
    }
  });
});
