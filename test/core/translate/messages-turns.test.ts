import { expect, test } from 'vitest';
import { chatOfTurns } from '../../../src/core/translate/messages-turns.ts';
import { Notes } from '../../../src/core/translate/notes.ts';

test('messages’ document made of blocks is carried as its text, behind its title', () => {
  const notes = new Notes();
  const content = [
    { type: 'text', text: 'first' },
    { type: 'text', text: 'second' },
  ];
  const document = { type: 'document', title: 'T', source: { type: 'content', content } };
  const plain = { type: 'document', source: { type: 'content', content: 'words' } };
  const messages = { messages: [{ role: 'user', content: [document, plain] }] };
  expect(chatOfTurns(messages, {}, notes)).toEqual([
    {
      role: 'user',
      content: ['T', 'first', 'second', 'words'].map((text) => ({ type: 'text', text })),
    },
  ]);
  expect(notes.list).toEqual([]);
});
