import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { lostOfChat } from '../../../src/core/translate/answer-notes.ts';
import { chatAnswerToMessages } from '../../../src/core/translate/answers.ts';

const FRAME = { model: 'm', created_s: 1, call_id: 'call_1' };

function answerOf(message: object, finish_reason: string | null = 'stop'): JsonObject {
  const choices = [{ index: 0, message: message as JsonObject, finish_reason }];
  return { id: 'c', model: 'g', choices, usage: {} };
}

test('a chat’s answer whose refusal is empty was not refused', () => {
  const answer = answerOf({ role: 'assistant', content: 'Yes.', refusal: '' });
  expect(chatAnswerToMessages(answer, FRAME)).toMatchObject({
    content: [{ type: 'text', text: 'Yes.' }],
    stop_reason: 'end_turn',
  });
});

test('a chat’s answer with an empty list of signed thoughts keeps its reasoning', () => {
  const message = { content: 'a', thinking_blocks: [], reasoning_content: '', reasoning: 'hm' };
  expect(chatAnswerToMessages(answerOf(message), FRAME).content).toEqual([
    { type: 'thinking', thinking: 'hm', signature: '' },
    { type: 'text', text: 'a' },
  ]);
});

test('a chat’s call whose arguments are an object has them as its input', () => {
  const called = { id: 't', type: 'function', function: { name: 'f', arguments: { a: 1 } } };
  const { content } = chatAnswerToMessages(answerOf({ tool_calls: [called] }), FRAME);
  expect(content).toEqual([{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }]);
});

test.each([
  ['tool_calls', 'end_turn'],
  ['function_call', 'end_turn'],
  ['content_filter', 'refusal'],
  ['sensitive', 'refusal'],
  ['model_length', 'max_tokens'],
  ['', 'end_turn'],
])('a chat’s answer without a call that finishes for %j stops for %s', (finish, stop_reason) => {
  const answer = answerOf({ content: 'a' }, finish);
  expect(chatAnswerToMessages(answer, FRAME).stop_reason).toBe(stop_reason);
  expect(lostOfChat(answer)).toEqual([]);
});

test('what only fills an answer up is no loss', () => {
  const filled = { ...answerOf({ content: 'a' }), obfuscation: 'xy', p: 'abc' };
  expect(lostOfChat(filled)).toEqual([]);
});

test('a chat’s answer that stopped for what nobody knows says so', () => {
  const answer = answerOf({ content: 'a' }, 'insufficient_system_resource');
  expect(lostOfChat(answer)).toEqual([
    {
      subject: 'answer.finish_reason',
      reason: 'insufficient_system_resource became end_turn',
    },
  ]);
});

test('what of a chat’s parts and calls Anthropic has no place for is named', () => {
  const extra_content = { google: { thought_signature: 'S' } };
  const message = {
    content: [
      { type: 'text', text: 'a' },
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'reference', reference_ids: [1] },
    ],
    tool_calls: [{ id: 't', type: 'function', function: { name: 'f' }, extra_content }],
  };
  expect(lostOfChat(answerOf(message)).map(({ subject }) => subject)).toEqual([
    'answer.content.reference',
    'answer.message.tool_calls.extra_content',
  ]);
});
