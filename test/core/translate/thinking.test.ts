import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';
import { messagesToChat } from '../../../src/core/translate/messages-request.ts';

function translate(chat: object, model = 'claude-sonnet-4-5') {
  const { body, notes } = chatToMessages({ messages: [], ...chat } as JsonObject, model);
  return { body: body as Record<string, unknown>, notes: notes.map(({ subject }) => subject) };
}

test.each(['claude-opus-4-1', 'claude-sonnet-4-5-20250929', 'claude-haiku-4-5', 'claude-opus-4-6'])(
  'chat completion’s temperature goes to %s without top_p, for it refuses both together',
  (model) => {
    const { body, notes } = translate({ temperature: 0.2, top_p: 0.9 }, model);
    expect([body.temperature, body.top_p, notes]).toEqual([0.2, undefined, ['top_p']]);
    // One asks for nothing, so the other is kept.
    const one = translate({ temperature: 1, top_p: 0.9 }, model);
    expect([one.body.temperature, one.body.top_p, one.notes]).toEqual([undefined, 0.9, []]);
    expect(translate({ temperature: 0.2, top_p: 1 }, model).notes).toEqual([]);
  },
);

test('chat completion’s efforts that a model does not know become one that it does', () => {
  const five = translate({ reasoning_effort: 'none' }, 'claude-opus-5');
  expect(five).toMatchObject({
    body: { output_config: { effort: 'low' } },
    notes: ['reasoning_effort'],
  });
  expect(five.body).not.toHaveProperty('thinking');
  expect(translate({ reasoning_effort: 'none' }, 'claude-opus-4-7').body).not.toHaveProperty(
    'output_config',
  );
  expect(translate({ reasoning_effort: 'xhigh' }, 'claude-opus-4-6')).toMatchObject({
    body: { output_config: { effort: 'high' } },
    notes: ['reasoning_effort'],
  });
  expect(translate({ reasoning_effort: 'xhigh' }, 'claude-opus-4-7')).toMatchObject({
    body: { output_config: { effort: 'xhigh' } },
    notes: [],
  });
});

test('messages’ words on thinking that an effort cannot say are named', () => {
  const effort = /^gpt-5/;
  const notes = (more: object, model = 'gpt-5-mini') =>
    messagesToChat({ messages: [], ...more }, model, { effort }).notes.map(
      ({ subject }) => subject,
    );
  expect(notes({ thinking: { type: 'adaptive' } })).toEqual([]);
  expect(notes({ thinking: { type: 'adaptive' } }, 'gpt-4o')).toEqual(['thinking']);
  expect(notes({ thinking: { type: 'disabled' } })).toEqual(['thinking']);
  expect(notes({ thinking: { type: 'disabled' } }, 'gpt-4o')).toEqual([]);
  expect(notes({ output_config: { effort: 'max' } })).toEqual(['output_config.effort']);
});

test('chat completion whose turn goes on without its thinking is answered without', () => {
  const tool_calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
  const called = { role: 'assistant', content: null, tool_calls };
  const signed = { type: 'thinking', thinking: 't', signature: 'S' };
  const result = { role: 'tool', tool_call_id: 'c', content: 'r' };
  const user = { role: 'user', content: 'q' };
  const ask = (messages: readonly object[], model?: string) =>
    translate({ reasoning_effort: 'low', max_tokens: 9000, messages }, model);
  for (const messages of [
    [user, called, result],
    [user, called, result, user],
    [user, { role: 'assistant', content: 'It is' }],
  ]) {
    const { body, notes } = ask(messages);
    expect(body).not.toHaveProperty('thinking');
    expect(notes).toEqual(['reasoning_effort']);
  }
  const thinks = { thinking: { type: 'enabled', budget_tokens: 1024 } };
  expect(ask([user, { ...called, thinking_blocks: [signed] }, result]).body).toMatchObject(thinks);
  expect(ask([user, called, result, { role: 'assistant', content: 'a' }, user]).body).toMatchObject(
    thinks,
  );
  // Newer models do not ask for it.
  expect(ask([user, called, result], 'claude-opus-4-6').body).toMatchObject({
    thinking: { type: 'adaptive' },
  });
});

test('messages’ thinking between tools has no counterpart, which is named', () => {
  const { notes } = messagesToChat(
    { messages: [], thinking: { type: 'between_tools' } },
    'gpt-5-mini',
    { effort: /^gpt-5/ },
  );
  expect(notes.map(({ subject }) => subject)).toEqual(['thinking']);
});

test('chat completion’s own thinking leaves room to answer, and takes its effort along', () => {
  const enabled = { type: 'enabled', budget_tokens: 10_000 };
  expect(translate({ thinking: enabled }).body).toMatchObject({
    thinking: enabled,
    max_tokens: 14_096,
  });
  expect(translate({ thinking: enabled, max_tokens: 12_000 }).body.max_tokens).toBe(12_000);
  // Newer models decide how much they think, and all of it counts as answered.
  const room = (chat: object) => translate(chat, 'claude-opus-4-6').body.max_tokens;
  expect(room({ thinking: { type: 'adaptive' } })).toBe(20_480);
  expect(room({ reasoning_effort: 'low' })).toBe(5120);
  expect(room({ reasoning_effort: 'low', max_tokens: 9 })).toBe(9);
  expect(room({ thinking: { type: 'disabled' } })).toBe(4096);
  expect(room({})).toBe(4096);
  expect(translate({}, 'claude-opus-5').body.max_tokens).toBe(20_480);
  const both = { thinking: { type: 'adaptive' }, reasoning_effort: 'high' };
  expect(translate(both, 'claude-opus-4-6')).toMatchObject({
    body: { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
    notes: [],
  });
  // An older model has a budget in the effort's place.
  const older = translate({ thinking: enabled, reasoning_effort: 'high' });
  expect(older.body).not.toHaveProperty('output_config');
  expect(older.notes).toEqual(['reasoning_effort']);
});

test('chat completion that wants no thinking keeps its sampling', () => {
  const asked = { thinking: { type: 'disabled' }, temperature: 0.2 };
  expect(translate(asked)).toMatchObject({ body: asked, notes: [] });
  // One is what a model does that thinks, and one that takes no sampling.
  const one = { temperature: 1, top_p: 1 };
  expect(translate({ reasoning_effort: 'low', ...one }).notes).toEqual([]);
  expect(translate(one, 'claude-opus-4-7').notes).toEqual([]);
});

test('chat completion’s effort that nobody knows is named, and so is what it became', () => {
  expect(translate({ reasoning_effort: 'ultra' }, 'claude-opus-4-6')).toMatchObject({
    body: { output_config: { effort: 'medium' } },
    notes: ['reasoning_effort'],
  });
  expect(translate({ reasoning_effort: 'minimal' }, 'claude-opus-4-6')).toMatchObject({
    body: { output_config: { effort: 'low' } },
    notes: ['reasoning_effort'],
  });
});

test('chat completion’s highest effort stays below what Claude 4.1 may say in all', () => {
  for (const reasoning_effort of ['xhigh', 'max']) {
    const { body } = translate({ reasoning_effort }, 'claude-opus-4-1-20250805');
    expect(body.max_tokens).toBeLessThanOrEqual(32_000);
  }
});

test('models that refuse a forced call are asked as if free, and it is said', () => {
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const named = { type: 'function', function: { name: 'f' } };
  const asked = (tool_choice: Json, model: string) => {
    const chat = { messages: [], tools, tool_choice, parallel_tool_calls: false };
    const { body, notes } = chatToMessages(chat, model);
    return [body.tool_choice, notes.map(({ subject }) => subject)];
  };
  const disabled = { disable_parallel_tool_use: true };
  for (const choice of ['required', named]) {
    expect(asked(choice, 'claude-sonnet-5-5')).toEqual([
      { type: 'auto', ...disabled },
      ['tool_choice'],
    ]);
  }
  expect(asked('auto', 'claude-sonnet-5-5')).toEqual([{ type: 'auto', ...disabled }, []]);
  expect(asked('none', 'claude-opus-5-5')).toEqual([{ type: 'none' }, []]);
  expect(asked('required', 'claude-sonnet-5')).toEqual([{ type: 'any', ...disabled }, []]);
});

test('chat completion that only switches thinking on, as at other hosts, gets a budget', () => {
  const on = { thinking: { type: 'enabled' }, temperature: 0.2 };
  expect(translate(on)).toMatchObject({
    body: { thinking: { type: 'enabled', budget_tokens: 4096 }, max_tokens: 8192 },
    notes: ['temperature'],
  });
  const chosen = translate({ ...on, reasoning_effort: 'low' });
  expect(chosen.body.thinking).toEqual({ type: 'enabled', budget_tokens: 1024 });
  const newer = translate(on, 'claude-opus-4-6');
  expect(newer.body.thinking).toEqual({ type: 'adaptive' });
  expect(newer.body).not.toHaveProperty('output_config');
});
