import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';

const HI = { role: 'user', content: 'hi' };

function translate(chat: object, model = 'claude-sonnet-4-5') {
  const { body, notes } = chatToMessages({ messages: [HI], ...chat } as JsonObject, model);
  return { body: body as Record<string, unknown>, notes: notes.map(({ subject }) => subject) };
}

const call = (id: string, text: string) => ({
  id: `call_${id}`,
  type: 'function',
  function: { name: 'f', arguments: text },
});

test('chat completion’s marks of whole messages mark the last block of each', () => {
  const cache_control = { type: 'ephemeral' };
  const { body, notes } = translate({
    messages: [
      { role: 'system', content: 's', cache_control },
      { role: 'user', content: 'a', cache_control },
      { role: 'assistant', content: 'b', cache_control },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'c' },
          { type: 'text', text: 'd' },
        ],
        cache_control,
      },
    ],
  });
  expect(body.system).toEqual([{ type: 'text', text: 's', cache_control }]);
  expect(body.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'a', cache_control }] },
    { role: 'assistant', content: [{ type: 'text', text: 'b', cache_control }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'c' },
        { type: 'text', text: 'd', cache_control },
      ],
    },
  ]);
  expect(notes).toEqual([]);
});

test('chat completion of a system text alone is asked by the user, which is named', () => {
  expect(translate({ messages: [{ role: 'system', content: 's' }] })).toMatchObject({
    body: { messages: [{ role: 'user', content: 's' }] },
    notes: ['messages.system'],
  });
});

test('chat completion’s last answer loses the white space that would be refused', () => {
  const ending = (content: unknown) =>
    translate({ messages: [HI, { role: 'assistant', content }] });
  expect(ending('so: \n')).toMatchObject({
    body: { messages: [HI, { role: 'assistant', content: 'so:' }] },
    notes: ['messages.content'],
  });
  expect(ending('  ').body.messages).toEqual([HI]);
  expect(ending('so:').notes).toEqual([]);
});

test('chat completion that names no tools names those that were called, and forbids them', () => {
  const { body } = translate({
    messages: [
      HI,
      { role: 'assistant', content: null, tool_calls: [call('1', '{}'), call('2', '')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
      { role: 'tool', tool_call_id: 'call_2', content: 'two' },
    ],
  });
  expect(body.tools).toEqual([{ name: 'f', input_schema: { type: 'object' } }]);
  expect(body.tool_choice).toEqual({ type: 'none' });
});
