import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { objectsIn } from '../../../src/core/json-values.ts';
import { HI, toolCall, translateChat } from '../../kit/translated-chat.ts';

test('chat completion’s marks of whole messages mark the last block of each', () => {
  const cache_control = { type: 'ephemeral' };
  const { body, notes } = translateChat({
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
  expect(translateChat({ messages: [{ role: 'system', content: 's' }] })).toMatchObject({
    body: { messages: [{ role: 'user', content: 's' }] },
    notes: ['messages.system'],
  });
});

test('chat completion’s last answer loses the white space that would be refused', () => {
  const ending = (content: unknown) =>
    translateChat({ messages: [HI, { role: 'assistant', content }] });
  expect(ending('so: \n')).toMatchObject({
    body: { messages: [HI, { role: 'assistant', content: 'so:' }] },
    notes: ['messages.content'],
  });
  expect(ending('  ').body.messages).toEqual([HI]);
  expect(ending('so:').notes).toEqual([]);
});

test('chat completion that names no tools names those that were called, and forbids them', () => {
  const { body } = translateChat({
    messages: [
      HI,
      { role: 'assistant', content: null, tool_calls: [toolCall('1', '{}'), toolCall('2', '')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
      { role: 'tool', tool_call_id: 'call_2', content: 'two' },
    ],
  });
  expect(body.tools).toEqual([{ name: 'f', input_schema: { type: 'object' } }]);
  expect(body.tool_choice).toEqual({ type: 'none' });
});

test('chat completion’s turns of white space alone are left out, which is named', () => {
  const blank = { type: 'text', text: ' \n' };
  const image = { type: 'image_url', image_url: { url: 'https://x.test/a.png' } };
  const { body, notes } = translateChat({
    messages: [
      { role: 'system', content: ' ' },
      { role: 'user', content: '\t' },
      { role: 'user', content: [blank, { type: 'text', text: 'hi' }] },
      { role: 'assistant', content: ' \n' },
      { role: 'user', content: [blank, image] },
    ],
  });
  expect(body).not.toHaveProperty('system');
  expect(body.messages).toEqual([
    { role: 'user', content: [blank, { type: 'text', text: 'hi' }] },
    {
      role: 'user',
      content: [{ type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } }],
    },
  ]);
  expect(notes).toEqual(['messages.content']);
});

test('chat completion’s white space behind the results of tools is left out as well', () => {
  const { body } = translateChat({
    messages: [
      HI,
      { role: 'assistant', content: null, tool_calls: [toolCall('1', '{}')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
      { role: 'user', content: ' ' },
    ],
  });
  expect(body.messages).toMatchObject([
    HI,
    { role: 'assistant' },
    { role: 'user', content: [{ type: 'tool_result', content: 'one' }] },
  ]);
  expect((body.messages as JsonObject[])[2]?.content).toHaveLength(1);
});

test('chat completion’s thinking in the pieces of a stream goes back whole', () => {
  const thinking_blocks = [
    { index: 0, type: 'thinking', thinking: 'one ' },
    { index: 0, type: 'thinking', thinking: 'step' },
    { index: 0, type: 'thinking', signature: 'S1' },
    { index: 1, type: 'redacted_thinking', data: 'R' },
    { index: 2, type: 'thinking', thinking: 'two' },
    { index: 2, type: 'thinking', signature: 'S2' },
  ];
  const { body, notes } = translateChat({
    messages: [HI, { role: 'assistant', content: 'a', thinking_blocks }, HI],
  });
  expect((body.messages as JsonObject[])[1]?.content).toEqual([
    { type: 'thinking', thinking: 'one step', signature: 'S1' },
    { type: 'redacted_thinking', data: 'R' },
    { type: 'thinking', thinking: 'two', signature: 'S2' },
    { type: 'text', text: 'a' },
  ]);
  expect(notes).toEqual([]);
});

test('turns take thoughts told whole over the piece that a helper of streams keeps', () => {
  const whole_thinking_blocks = [
    { type: 'thinking', thinking: 'one step', signature: 'S1' },
    { type: 'redacted_thinking', data: 'R' },
  ];
  const thinking_blocks = [{ index: 1, type: 'redacted_thinking', data: 'R' }];
  const said = { role: 'assistant', content: 'a', thinking_blocks, whole_thinking_blocks };
  const { body, notes } = translateChat({ messages: [HI, said, HI] });
  expect((body.messages as JsonObject[])[1]?.content).toEqual([
    ...whole_thinking_blocks,
    { type: 'text', text: 'a' },
  ]);
  expect(notes).toEqual([]);
});

test('chat completion’s signed thinking is not mixed with what nobody signed', () => {
  const signed = { type: 'thinking', thinking: 'b', signature: 'S' };
  const thinking_blocks = [{ type: 'thinking', thinking: 'a' }, signed];
  const { body, notes } = translateChat({
    messages: [HI, { role: 'assistant', content: 'a', thinking_blocks }, HI],
  });
  expect((body.messages as JsonObject[])[1]?.content).toEqual([
    signed,
    { type: 'text', text: 'a' },
  ]);
  expect(notes).toEqual(['messages.reasoning_content']);
});

test('chat completion’s call of a custom tool stays with its result, which is named', () => {
  const custom = { id: 'call_9', type: 'custom', custom: { name: 'sh', input: 'ls -l' } };
  const { body, notes } = translateChat({
    messages: [
      HI,
      { role: 'assistant', content: null, tool_calls: [custom] },
      { role: 'tool', tool_call_id: 'call_9', content: 'a' },
    ],
  });
  expect((body.messages as JsonObject[]).slice(1)).toEqual([
    {
      role: 'assistant',
      content: [{ type: 'tool_use', id: 'call_9', name: 'sh', input: { input: 'ls -l' } }],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_9', content: 'a' }] },
  ]);
  expect(notes).toEqual(['messages.tool_calls custom']);
});

test('chat completion’s results of any number of calls are one turn, with the words behind', () => {
  const count = 60_000;
  const ids = Array.from({ length: count }, (_, at) => `${at}`);
  const results = ids.map((id) => ({ role: 'tool', tool_call_id: `call_${id}`, content: 'x' }));
  const tool_calls = ids.map((id) => toolCall(id, '{}'));
  // Where each were put behind a copy of all before it, this would take a minute.
  const { body } = translateChat({
    messages: [HI, { role: 'assistant', tool_calls }, ...results, HI, results[0]],
  });
  const turns = objectsIn(body.messages as never);
  const last = objectsIn(turns[2]?.content);
  expect(last).toHaveLength(count + 1);
  expect([last[0]?.type, last.at(-2)?.type, last.at(-1)?.type]).toEqual([
    'tool_result',
    'tool_result',
    'text',
  ]);
});
