import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { lostOfChat, lostOfMessages } from '../../../src/core/translate/answer-notes.ts';

const subjects = (notes: readonly { readonly subject: string }[]) =>
  notes.map(({ subject }) => subject).sort();

test('lostOfMessages names what a chat completion has no place for', () => {
  const common = { id: 'm', type: 'message', role: 'assistant', model: 'c', usage: {} };
  const plain: JsonObject = {
    ...common,
    content: [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'text', text: 'a', citations: null },
      { type: 'tool_use', id: 't', name: 'f', input: {} },
    ],
    stop_reason: 'end_turn',
    stop_sequence: null,
  };
  expect(lostOfMessages(plain)).toEqual([]);
  const rich: JsonObject = {
    ...common,
    content: [
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
      { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
      { type: 'text', text: 'a', citations: [{ url: 'x' }] },
    ],
    stop_reason: 'stop_sequence',
    stop_sequence: 'END',
    container: { id: 'c' },
  };
  expect(subjects(lostOfMessages(rich))).toEqual([
    'answer.container',
    'answer.content.server_tool_use',
    'answer.content.text.citations',
    'answer.content.web_search_tool_result',
    'answer.stop_sequence',
  ]);
});

test('lostOfChat names what Anthropic’s answer has no place for', () => {
  const message = { role: 'assistant', content: 'a', refusal: null, annotations: [] };
  const plain = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: {},
    system_fingerprint: 'fp',
  };
  expect(lostOfChat(plain)).toEqual([]);
  const said = { ...message, annotations: [{ type: 'url_citation' }], audio: { id: 'a' } };
  const choice = { index: 0, message: said, logprobs: { content: [1] }, finish_reason: 'stop' };
  const rich = { ...plain, choices: [choice, choice], citations: ['x'] };
  expect(subjects(lostOfChat(rich))).toEqual([
    'answer.choices',
    'answer.choices.logprobs',
    'answer.citations',
    'answer.message.annotations',
    'answer.message.audio',
  ]);
});
