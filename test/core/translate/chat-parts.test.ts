import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { objectsIn } from '../../../src/core/json-values.ts';
import { HI, toolCall, translateChat } from '../../kit/translated-chat.ts';

test('chat completion’s fields of messages and parts that are not carried over are named', () => {
  const { body, notes } = translateChat({
    messages: [
      { role: 'system', content: 's', name: 'policy', x_system: 1 },
      {
        role: 'user',
        name: null,
        content: [
          { type: 'text', text: 'a', x_part: 1 },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png', fps: 2 }, max_pixels: 9 },
          { type: 'image_url', image_url: {} },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            ...toolCall('1', '{}'),
            extra_content: { google: { thought_signature: 'S' } },
            index: 0,
          },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'r', weight: 1 }] },
    ],
  });
  expect([...notes].sort()).toEqual([
    'messages.image_url',
    'messages.image_url.fps',
    'messages.image_url.max_pixels',
    'messages.name',
    'messages.text.weight',
    'messages.text.x_part',
    'messages.tool_calls.extra_content',
    'messages.x_system',
  ]);
  expect((body.messages as JsonObject[])[0]?.content).toHaveLength(2);
});

test('chat completion’s picture of the type image/jpg goes out by its right name', () => {
  const url = 'data:image/jpg;base64,QUJD';
  const { body } = translateChat({
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
  });
  expect((body.messages as JsonObject[])[0]?.content).toMatchObject([
    { source: { media_type: 'image/jpeg', data: 'QUJD' } },
  ]);
});

test('chat completion’s data URL with parameters is data all the same', () => {
  const url = 'data:image/png;charset=utf-8;base64,QUJD';
  const file_data = 'data:application/pdf;name=a.pdf;base64,AAAA';
  const { body, notes } = translateChat({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url } },
          { type: 'file', file: { file_data } },
        ],
      },
    ],
  });
  expect(notes).toEqual([]);
  expect((body.messages as JsonObject[])[0]?.content).toMatchObject([
    { source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
    { source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } },
  ]);
});

test.each([
  [{ a: 1 }, { a: 1 }],
  ['null', {}],
  [null, {}],
  ['[1]', { arguments: '[1]' }],
])('chat completion’s arguments %j are the input %j', (given, input) => {
  const made = { id: 'call_1', type: 'function', function: { name: 'f', arguments: given } };
  const { body } = translateChat({ messages: [HI, { role: 'assistant', tool_calls: [made] }] });
  const [use] = objectsIn((body.messages as JsonObject[])[1]?.content);
  expect(use?.input).toEqual(input);
});

test('chat completion’s file of text is a document of text', () => {
  const file = { filename: 'a.md', file_data: 'data:text/markdown;base64,w6kgaGVsbG8=' };
  const other = { filename: 'a.zip', file_data: 'data:application/zip;base64,UEs=' };
  const content = [file, other].map((one) => ({ type: 'file', file: one }));
  const { body, notes } = translateChat({ messages: [{ role: 'user', content }] });
  expect(body.messages).toEqual([
    {
      role: 'user',
      content: [
        {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'é hello' },
          title: 'a.md',
        },
      ],
    },
  ]);
  expect(notes).toEqual(['messages.file']);
});
