import { describe, expect, test } from 'vitest';
import { parseChatRequest } from '../../src/engine/chat-request.ts';

const user = { role: 'user', content: 'hello' };
const parse = (fields: object) =>
  parseChatRequest(JSON.stringify({ model: 'echo', messages: [user], ...fields }));

describe('chat request', () => {
  test('chat request is greedy and whole by default', () => {
    expect(parse({})).toEqual({
      model: 'echo',
      messages: [user],
      stream: false,
      include_usage: false,
      tokens_max: null,
      sampling: { temperature: 0, topP: undefined, seed: undefined },
      stops: [],
    });
  });

  test('chat request joins text parts and passes over fields that it does not know', () => {
    const content = [
      { type: 'text', text: 'he' },
      { type: 'text', text: 'llo' },
    ];
    expect(parse({ messages: [{ role: 'user', content }], seed_of_doom: 1 }).messages).toEqual([
      user,
    ]);
  });

  test('chat request reads limits, sampling and stops', () => {
    const more = { max_tokens: 9, max_completion_tokens: 5, temperature: 0.5, top_p: 0.9, seed: 7 };
    expect(parse({ ...more, stop: ['x', ''], stream: true })).toMatchObject({
      tokens_max: 5,
      sampling: { temperature: 0.5, topP: 0.9, seed: 7 },
      stops: ['x'],
      stream: true,
    });
    expect(parse({ stop: 'x', max_tokens: 9 })).toMatchObject({ stops: ['x'], tokens_max: 9 });
    expect(parse({ stop: null, max_tokens: null, stream: null }).stops).toEqual([]);
  });

  test.each([
    ['messages', { messages: [] }],
    ['messages', { messages: 'hello' }],
    ['messages.0.role', { messages: [{ role: 'robot', content: '' }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }],
    ['model', { model: 3 }],
    ['max_tokens', { max_tokens: 0 }],
    ['temperature', { temperature: 3 }],
    ['n', { n: 2 }],
  ])('chat request refuses a bad %s and names it', (param, fields) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ status: 400, param }));
  });

  test('chat request refuses what is not JSON', () => {
    expect(() => parseChatRequest('{')).toThrow(expect.objectContaining({ status: 400 }));
  });
});
