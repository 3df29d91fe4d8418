import { describe, expect, test } from 'vitest';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';
import { modernOf } from '../../../src/core/translate/legacy-functions.ts';

const FUNCTION = { name: 'now', description: 'the time', parameters: { type: 'object' } };
const user = { role: 'user', content: 'when?' };
const called = {
  role: 'assistant',
  content: null,
  function_call: { name: 'now', arguments: '{}' },
};
const result = { role: 'function', name: 'now', content: '12:00' };

describe('modernOf', () => {
  test('modernOf leaves a request of today as it is', () => {
    const chat = { messages: [user], tools: [{ type: 'function', function: FUNCTION }] };
    expect(modernOf(chat)).toEqual({ chat, legacy: false });
    expect(modernOf(chat).chat).toBe(chat);
  });

  test('modernOf says functions as tools, of which one may be called at a time', () => {
    const { chat, legacy } = modernOf({ messages: [user], functions: [FUNCTION], seed: 1 });
    expect(legacy).toBe(true);
    expect(chat).toEqual({
      messages: [user],
      seed: 1,
      tools: [{ type: 'function', function: FUNCTION }],
      parallel_tool_calls: false,
    });
  });

  test.each([
    ['auto', 'auto'],
    ['none', 'none'],
    [{ name: 'now' }, { type: 'function', function: { name: 'now' } }],
  ])('modernOf: function_call %j is tool_choice %j', (function_call, tool_choice) => {
    const { chat } = modernOf({ messages: [user], functions: [FUNCTION], function_call });
    expect(chat).toMatchObject({ tool_choice });
    expect(chat).not.toHaveProperty('function_call');
  });

  test('modernOf tells which result is whose, the same while the conversation grows', () => {
    const messages = [user, called, result, called, result];
    const { chat } = modernOf({ messages, functions: [FUNCTION] });
    const ids = (chat.messages as readonly Record<string, unknown>[]).map(
      ({ tool_calls, tool_call_id }) =>
        (tool_calls as readonly { id: string }[] | undefined)?.[0]?.id ?? tool_call_id,
    );
    const [first, second] = ['function_call_1', 'function_call_2'];
    expect(ids).toEqual([undefined, first, first, second, second]);
  });

  test('modernOf: tools win where both are given', () => {
    const tools = [{ type: 'function', function: FUNCTION }];
    const chat = { messages: [user], functions: [FUNCTION], tools };
    expect(modernOf(chat)).toEqual({ chat, legacy: false });
    expect(chatToMessages(chat, 'm').notes).toMatchObject([{ subject: 'functions' }]);
  });
});

describe('chatToMessages', () => {
  test('legacy functions reach Anthropic as tools, calls and results', () => {
    const chat = { messages: [user, called, result], functions: [FUNCTION], function_call: 'auto' };
    const { body, notes, recall } = chatToMessages(chat, 'm');
    expect(notes).toEqual([]);
    expect(recall).toEqual({ legacy: true });
    expect(body).toMatchObject({
      tools: [{ name: 'now', description: 'the time', input_schema: { type: 'object' } }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      messages: [
        { role: 'user', content: 'when?' },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'function_call_1', name: 'now', input: {} }],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'function_call_1', content: '12:00' }],
        },
      ],
    });
  });

  test('a result without a call is told of', () => {
    const orphan = { role: 'function', content: '12:00' };
    const { notes } = chatToMessages({ messages: [user, orphan] }, 'm');
    expect(notes).toMatchObject([{ subject: 'messages.role function' }]);
  });

  test('what is no list of functions is told of, and not read', () => {
    const { notes, recall } = chatToMessages({ messages: [user], functions: 'now' }, 'm');
    expect(notes).toMatchObject([{ subject: 'functions' }]);
    expect(recall).toBeUndefined();
  });
});
