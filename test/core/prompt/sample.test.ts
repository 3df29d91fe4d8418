import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/core/call.ts';
import { sampleBytes, sampleMessages, sampleTurns } from '../../../src/core/prompt/sample.ts';

const turnsOf = (endpoint: Call['endpoint'], body: Call['body']) => sampleTurns({ endpoint, body });

describe('sampleTurns', () => {
  test('sampleTurns reads the three dialects alike', () => {
    const user = { role: 'user', content: 'hi' };
    const expected = [
      { role: 'system', text: 'Be kind.' },
      { role: 'user', text: 'hi' },
    ];
    const system = { role: 'developer', content: 'Be kind.' };
    expect(turnsOf('chat.completions', { messages: [system, user] })).toEqual(expected);
    expect(turnsOf('messages', { system: 'Be kind.', messages: [user] })).toEqual(expected);
    const responses = { instructions: 'Be kind.', input: 'hi' };
    expect(turnsOf('responses', responses)).toEqual(expected);
  });

  test.each([
    ['embeddings', { input: 'hi' }],
    ['chat.completions', {}],
    ['chat.completions', { messages: [] }],
    ['chat.completions', { messages: [null] }],
    ['chat.completions', { messages: [{ role: 'tool', content: 'x' }] }],
    ['chat.completions', { messages: [{ role: 'user', content: 'x' }], tools: [{}] }],
    ['chat.completions', { messages: [{ role: 'assistant', content: 'x' }] }],
    ['chat.completions', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }],
    ['messages', { system: 5, messages: [{ role: 'user', content: 'x' }] }],
    ['responses', { input: 'x', previous_response_id: 'r' }],
    ['chat.completions', { messages: Array(41).fill({ role: 'user', content: 'x' }) }],
  ])('sampleTurns has none of what is more than text: %s %j', (endpoint, body) => {
    expect(turnsOf(endpoint as Call['endpoint'], body as Call['body'])).toBeNull();
  });

  test('sampleMessages are a chat completion’s, and sampleBytes counts UTF-8', () => {
    const turns = [{ role: 'user', text: 'ä' }] as const;
    expect(sampleMessages(turns)).toEqual({ messages: [{ role: 'user', content: 'ä' }] });
    expect(sampleBytes({ turns, answer: 'ok' })).toBe(4);
  });
});
