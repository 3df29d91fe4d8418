import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { messagesToChat } from '../../../src/core/translate/messages-request.ts';
import { chatOfTurns } from '../../../src/core/translate/messages-turns.ts';
import { Notes } from '../../../src/core/translate/notes.ts';
import { ToolNames } from '../../../src/core/translate/tool-names.ts';

test('messages of a role that Anthropic does not have never speak as the system', () => {
  const turn = (role: string) => ({ role, content: role });
  const messages = [turn('user'), turn('system'), turn('tool'), turn('developer')];
  const { body, notes } = messagesToChat({ max_tokens: 9, messages }, 'gpt-5-mini', {});
  expect(body.messages).toEqual([turn('user'), turn('system')]);
  expect(notes.map(({ subject }) => subject)).toEqual([
    'messages.role tool',
    'messages.role developer',
  ]);
});
test('messages’ document made of blocks is carried as its text, behind its title', () => {
  const notes = new Notes();
  const content = [
    { type: 'text', text: 'first' },
    { type: 'text', text: 'second' },
  ];
  const document = { type: 'document', title: 'T', source: { type: 'content', content } };
  const plain = { type: 'document', source: { type: 'content', content: 'words' } };
  const messages = { messages: [{ role: 'user', content: [document, plain] }] };
  expect(chatOfTurns(messages, {}, notes, new ToolNames())).toEqual([
    {
      role: 'user',
      content: ['T', 'first', 'second', 'words'].map((text) => ({ type: 'text', text })),
    },
  ]);
  expect(notes.list).toEqual([]);
});

test('messages’ turn of which nothing is left is left out, where hosts refuse empty ones', () => {
  const thought = { type: 'thinking', thinking: 'hm', signature: 's' };
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: [thought] },
    { role: 'user', content: 'b' },
  ];
  const [first, , last] = messages;
  const { body, notes } = messagesToChat({ max_tokens: 9, messages }, 'm', {});
  expect(body.messages).toEqual([first, last]);
  expect(notes.map(({ subject }) => subject)).toEqual(['messages.thinking']);
  const kept = messagesToChat({ max_tokens: 9, messages }, 'm', { reasoning: 'reasoning' });
  expect(kept.body.messages).toHaveLength(3);
});

test('messages’ fields that nobody reads are named, of the system amid the turns too', () => {
  const messages: readonly JsonObject[] = [
    { role: 'user', content: 'a', priority: 1 },
    { role: 'system', content: 'b', clear_at: 'never', output_config: { effort: 'low' } },
  ];
  const image = { type: 'image', source: { type: 'url', url: 'https://a.test/', ttl: 1 } };
  const others = {
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    tool_choice: { type: 'auto', strength: 1 },
    thinking: { type: 'adaptive', display: 'summarized' },
    messages: [{ role: 'user', content: [image] }],
  };
  const noted = messagesToChat({ max_tokens: 9, ...others }, 'gpt-5-mini', { effort: /./ }).notes;
  expect(noted.map(({ subject }) => subject)).toEqual([
    'messages.image.source.ttl',
    'tool_choice.strength',
    'thinking.display',
  ]);
  const { body, notes } = messagesToChat({ max_tokens: 9, messages }, 'gpt-5-mini', {});
  expect(body.messages).toEqual([
    { role: 'user', content: 'a' },
    { role: 'system', content: 'b' },
  ]);
  expect(notes.map(({ subject }) => subject)).toEqual([
    'messages.priority',
    'messages.clear_at',
    'messages.output_config',
  ]);
});
