import { expect, test } from 'vitest';
import { answerOf, fixture, make, requestFor, sent } from './provider-kit.ts';

const ollama = make('ollama');

test('ollama is asked at its compatible API, with the limit by the name that it knows', () => {
  const chat = { model: 'agent', max_completion_tokens: 5, messages: [] };
  const { path, headers, json } = sent(ollama, requestFor('chat.completions', chat));
  expect(ollama.base_url).toBe('http://127.0.0.1:11434/v1');
  expect(path).toBe('/v1/chat/completions');
  expect(headers).not.toHaveProperty('authorization');
  expect(json).toEqual({ model: 'm', messages: [], max_tokens: 5 });
});

test('ollama answers Anthropic’s clients, its reasoning as thinking', () => {
  const decoded = ollama.decode(answerOf(fixture('ollama-chat.json'), { endpoint: 'messages' }));
  expect(decoded.ok && JSON.parse(Buffer.from(decoded.body).toString())).toEqual({
    id: 'msg_302',
    type: 'message',
    role: 'assistant',
    model: 'qwen3:8b',
    content: [
      { type: 'thinking', thinking: 'A greeting.', signature: '' },
      { type: 'text', text: 'Hi!' },
    ],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: 11,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 23,
    },
  });
});

test('ollama is told of what it refuses, and the client as well', () => {
  const body = {
    max_tokens: 5,
    messages: [{ role: 'user', content: 'hi' }],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    tool_choice: { type: 'any' },
    metadata: { user_id: 'u' },
  };
  const { json, notes } = sent(ollama, requestFor('messages', body));
  expect(Object.keys(json).sort()).toEqual(['max_tokens', 'messages', 'model', 'tools']);
  expect(notes.sort()).toEqual(['tool_choice', 'user']);
});
