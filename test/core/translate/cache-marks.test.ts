import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { objectsIn } from '../../../src/core/json-values.ts';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';

const breakpoint = (ttl?: string): JsonObject => ({
  prompt_cache_breakpoint: { mode: 'explicit', ...(ttl === undefined ? {} : { ttl }) },
});
const text = (said: string, more: JsonObject = {}): JsonObject => ({
  type: 'text',
  text: said,
  ...more,
});
const HOUR = { cache_control: { type: 'ephemeral', ttl: '1h' } };

function translate(messages: readonly Json[]) {
  const { body, notes } = chatToMessages({ model: 'm', messages }, 'claude-sonnet-5');
  return { body, notes: notes.map(({ subject }) => subject) };
}

test('withCacheMarks keeps OpenAI’s breakpoints as Anthropic’s, as long as that can', () => {
  const { body, notes } = translate([
    { role: 'developer', content: [text('rules', breakpoint())] },
    { role: 'user', content: [text('a', breakpoint('12h')), text('b')] },
  ]);
  expect(body.system).toEqual([text('rules', HOUR)]);
  expect(body.messages).toEqual([{ role: 'user', content: [text('a', HOUR), text('b')] }]);
  expect(notes).toEqual(['messages.prompt_cache_breakpoint.ttl']);
});

test('withCacheMarks keeps the latest four, and says so', () => {
  const content = ['a', 'b', 'c', 'd', 'e', 'f'].map((said) => text(said, breakpoint()));
  const { body, notes } = translate([{ role: 'user', content }]);
  const [turn] = body.messages as readonly JsonObject[];
  const marks = objectsIn(turn?.content).map((part) => 'cache_control' in part);
  expect(marks).toEqual([false, false, true, true, true, true]);
  expect(notes).toEqual(['messages.prompt_cache_breakpoint']);
});

test('withCacheMarks leaves a mark of Anthropic’s own', () => {
  const own = { cache_control: { type: 'ephemeral' } };
  const { body } = translate([{ role: 'user', content: [text('a', { ...own, ...breakpoint() })] }]);
  expect(body.messages).toEqual([{ role: 'user', content: [text('a', own)] }]);
});
