import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '../../src/core/catalogue.ts';
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
} from '../providers/provider-kit.ts';

const chat = { model: 'agent', stream: true, max_completion_tokens: 7, messages: [] };

describe('host of the catalogue', () => {
  test.each(CATALOGUE.map((host) => [host.name, host] as const))(
    'host %s is a provider by its name alone',
    (name, host) => {
      const provider = make(name, { api_key: 'k' });
      expect(provider.base_url).toBe(host.base_url);
      expect(host.base_url).toMatch(/^https:\/\/[^/]+(\/.*[^/])?$/);
      expect(host.key_variable).toMatch(/^[A-Z][A-Z0-9_]+$/);
      const { path, headers, json } = sent(provider, requestFor('chat.completions', chat));
      expect(path).toBe(`${new URL(host.base_url).pathname.replace(/\/$/, '')}/chat/completions`);
      expect(headers.authorization).toBe('Bearer k');
      const limit = host.quirks?.limit ?? 'max_completion_tokens';
      expect(json[limit]).toBe(7);
      expect('stream_options' in json).toBe(host.quirks?.stream_options !== false);
      expect(provider.endpoints).toContain('messages');
    },
  );

  test('host’s base URL may be another, as for a proxy', () => {
    expect(make('deepseek', { base_url: 'http://127.0.0.1:9/x/' }).base_url).toBe(
      'http://127.0.0.1:9/x',
    );
    expect(() => make('deepseek', { model: 'x' })).toThrow();
  });

  test('mistral goes without stream_options, which the client is told', () => {
    const body = { ...chat, stream_options: { include_usage: true } };
    const { json, notes } = sent(make('mistral'), requestFor('chat.completions', body));
    expect(json).not.toHaveProperty('stream_options');
    expect(notes).toEqual(['stream_options']);
    expect(sent(make('mistral'), requestFor('chat.completions', chat)).notes).toEqual([]);
  });

  test('deepseek takes its reasoning back, and text as one string', () => {
    const body = {
      max_tokens: 5,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: '' },
            { type: 'text', text: 'c' },
          ],
        },
        { role: 'user', content: 'd' },
      ],
    };
    const { json, notes } = sent(make('deepseek'), requestFor('messages', body));
    expect(json.messages).toEqual([
      { role: 'user', content: 'a\n\nb' },
      { role: 'assistant', content: 'c', reasoning_content: 'hm' },
      { role: 'user', content: 'd' },
    ]);
    expect(notes).toEqual([]);
  });

  test('deepseek’s stream becomes Anthropic’s events, its reasoning as thinking', () => {
    const chunks = chunksOf(make('deepseek'), fixture('deepseek-reasoner.sse'), {
      endpoint: 'messages',
    });
    const text = textOf(chunks);
    expect(text).toContain(': keep-alive\n\n');
    expect(dataOf(text).map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(dataOf(text).at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: 20, output_tokens: 9 },
    });
    expect(factsOf(chunks)).toMatchObject({ finish: 'stop', tokens: { in: 20, out: 9 } });
  });

  test('mistral’s thinking in parts is thinking too', () => {
    const chunks = chunksOf(make('mistral'), fixture('mistral-stream.sse'), {
      endpoint: 'messages',
    });
    const deltas = dataOf(textOf(chunks)).filter(({ type }) => type === 'content_block_delta');
    expect(deltas.map(({ delta }) => delta)).toEqual([
      { type: 'thinking_delta', thinking: 'Short.' },
      { type: 'text_delta', text: 'Bonjour' },
    ]);
    const body = { choices: [{ message: { content: [{ type: 'text', text: 'a' }] } }] };
    const whole = make('mistral').decode(answerOf(body, { endpoint: 'messages' }));
    expect(whole.ok && JSON.parse(Buffer.from(whole.body).toString()).content).toEqual([
      { type: 'text', text: 'a' },
    ]);
  });
});
