import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { chatAnswerToMessages, messagesAnswerToChat } from '../../../src/core/translate/answers.ts';
import { chatToMessages, type Translated } from '../../../src/core/translate/chat-request.ts';
import { messagesToChat } from '../../../src/core/translate/messages-request.ts';

/** That a last answer is not gone on from is told of every one. */
const told = ({ notes }: Translated) =>
  notes.filter(({ subject }) => subject !== 'messages.assistant');

/** Where nobody named the tools that were called, they are named, and forbidden. */
const withoutTools = (body: JsonObject): JsonObject => {
  const fields = Object.entries(body);
  return Object.fromEntries(fields.filter(([field]) => !['tools', 'tool_choice'].includes(field)));
};

const FRAME = { model: 'm', created_s: 1, call_id: 'call_1' };
const word = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text.trim() === text);
const spoken = word.filter((text) => text !== '');
const name = fc.stringMatching(/^[a-z_]{1,8}$/);
const id = fc.stringMatching(/^(call|toolu)_[A-Za-z0-9]{4,8}$/);
const input = fc.dictionary(
  name,
  fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null)),
);
const data = fc.base64String({ minLength: 4, maxLength: 12 });
const media = fc.constantFrom('image/png', 'image/jpeg');

/** A list of at least two, which stays a list: one text alone becomes a string. */
const parted = (part: fc.Arbitrary<JsonObject>) => fc.array(part, { minLength: 2, maxLength: 4 });
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

function defined(value: Record<string, unknown>): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

describe('a chat completion that went to Anthropic’s dialect and back', () => {
  const text = spoken.map((said): JsonObject => ({ type: 'text', text: said }));
  const image = fc.tuple(media, data).map(
    ([type, base64]): JsonObject => ({
      type: 'image_url',
      image_url: { url: `data:${type};base64,${base64}` },
    }),
  );
  const link = fc.webUrl().map((url): JsonObject => ({ type: 'image_url', image_url: { url } }));
  const content = fc.oneof(spoken, parted(fc.oneof(text, image, link)));
  const user = content.map((said) => [{ role: 'user', content: said }]);
  const call = fc.tuple(id, name, input).map(([call_id, called, given]) => ({
    id: call_id,
    type: 'function',
    function: { name: called, arguments: JSON.stringify(given) },
  }));
  const said = spoken.map((words) => [{ role: 'assistant', content: words }]);
  /** Calls in parallel, each with its result, and what the user says then. */
  const called = fc
    .tuple(
      fc.option(spoken),
      fc.uniqueArray(call, { minLength: 1, maxLength: 3, selector: (one) => one.id }),
      spoken,
      fc.option(parted(text)),
    )
    .map(([words, tool_calls, result, then]) => [
      { role: 'assistant', content: words, tool_calls },
      ...tool_calls.map((one) => ({ role: 'tool', tool_call_id: one.id, content: result })),
      ...(then ? [{ role: 'user', content: then }] : []),
    ]);
  const turns = fc
    .array(fc.oneof(user, said, called), { minLength: 1, maxLength: 5 })
    // Tool results and the next words of the user are one turn there: plain words become parts.
    .map((list) => list.flat())
    .filter(
      (list) =>
        !list.some(
          ({ role }, at) =>
            role === 'user' &&
            list[at - 1]?.role === 'tool' &&
            typeof list[at]?.content === 'string',
        ),
    );
  const tool = fc.tuple(name, spoken).map(([tool_name, description]) => ({
    type: 'function',
    function: { name: tool_name, description, parameters: { type: 'object', properties: {} } },
  }));
  const chat = fc
    .record({
      model: fc.constant('m'),
      system: optional(spoken),
      turns,
      max_completion_tokens: fc.nat(),
      temperature: optional(fc.double({ min: 0, max: 1, noNaN: true })),
      top_p: optional(fc.double({ min: 0, max: 1, noNaN: true })),
      stop: optional(fc.array(spoken, { minLength: 1, maxLength: 4 })),
      user: optional(spoken),
      tools: optional(fc.array(tool, { minLength: 1, maxLength: 3 })),
      choice: fc.constantFrom(undefined, 'auto', 'none', 'required'),
      parallel_tool_calls: fc.constantFrom(undefined, false),
    })
    .map(({ system, turns: list, tools, choice, parallel_tool_calls, ...rest }) =>
      defined({
        ...rest,
        messages: [...(system ? [{ role: 'system', content: system }] : []), ...list],
        ...(tools ? { tools, tool_choice: choice } : {}),
        ...(tools && choice !== 'none' && parallel_tool_calls === false
          ? { parallel_tool_calls, tool_choice: choice ?? 'auto' }
          : {}),
      }),
    );

  test('a chat completion comes back as it was, with nothing to note', () => {
    fc.assert(
      fc.property(chat, (given) => {
        const there = chatToMessages(given, 'm');
        const back = messagesToChat(there.body, 'm');
        expect([told(there), told(back)]).toEqual([[], []]);
        expect(defined(given.tools ? back.body : withoutTools(back.body))).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  test('a whole answer comes back as it was, its signed thinking included', () => {
    const block = fc.oneof(
      spoken.map((words): JsonObject => ({ type: 'text', text: words })),
      fc.tuple(id, name, input).map(
        ([use, called_name, given]): JsonObject => ({
          type: 'tool_use',
          id: use,
          name: called_name,
          input: given as JsonObject,
        }),
      ),
    );
    const thought = fc
      .tuple(spoken, word)
      .map(([thinking, signature]): JsonObject => ({ type: 'thinking', thinking, signature }));
    const answer = fc
      .record({
        thoughts: fc.array(thought, { maxLength: 2 }),
        words: optional(spoken),
        uses: fc.array(
          block.filter(({ type }) => type === 'tool_use'),
          { maxLength: 3 },
        ),
        reason: fc.constantFrom('end_turn', 'max_tokens', 'refusal'),
        usage: fc.record({
          input_tokens: fc.nat(),
          cache_creation_input_tokens: fc.nat(),
          cache_read_input_tokens: fc.nat(),
          output_tokens: fc.nat(),
        }),
      })
      .map(({ thoughts, words, uses, reason, usage }) =>
        defined({
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'claude',
          content: [...thoughts, ...(words ? [{ type: 'text', text: words }] : []), ...uses],
          stop_reason: uses.length > 0 ? 'tool_use' : reason,
          stop_sequence: null,
          usage,
        }),
      );
    fc.assert(
      fc.property(answer, (given) => {
        const back = chatAnswerToMessages(messagesAnswerToChat(given, FRAME), FRAME);
        expect(defined(back as Record<string, Json>)).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a request to Anthropic that went to OpenAI’s dialect and back', () => {
  const text = spoken.map((said): JsonObject => ({ type: 'text', text: said }));
  const image = fc.tuple(media, data).map(
    ([media_type, base64]): JsonObject => ({
      type: 'image',
      source: { type: 'base64', media_type, data: base64 },
    }),
  );
  const user = fc
    .oneof(spoken, parted(fc.oneof(text, image)))
    .map((content) => [{ role: 'user', content }]);
  const said = spoken.map((content) => [{ role: 'assistant', content }]);
  const called = fc
    .tuple(
      fc.array(text, { maxLength: 1 }),
      fc.uniqueArray(fc.tuple(id, name, input), {
        minLength: 1,
        maxLength: 3,
        selector: ([one]) => one,
      }),
      fc.oneof(spoken, parted(text)),
      fc.oneof(fc.constant([]), parted(text)),
    )
    .map(([words, uses, content, then]) => [
      {
        role: 'assistant',
        content: [
          ...words,
          ...uses.map(([use, tool, given]) => ({
            type: 'tool_use',
            id: use,
            name: tool,
            input: given,
          })),
        ],
      },
      {
        role: 'user',
        content: [
          ...uses.map(([tool_use_id]) => ({ type: 'tool_result', tool_use_id, content })),
          ...then,
        ],
      },
    ])
    // Words after the results join their turn there, so the next turn must be the assistant's.
    .chain((turn) => said.map((next) => [...turn, ...next]));
  const tool = fc.tuple(name, spoken).map(([tool_name, description]) => ({
    name: tool_name,
    description,
    input_schema: { type: 'object', properties: {} },
  }));
  const choice = fc.oneof(
    fc.constantFrom({ type: 'auto' }, { type: 'any' }, { type: 'none' }),
    fc.constant({ type: 'any', disable_parallel_tool_use: true }),
    name.map((one) => ({ type: 'tool', name: one })),
  );
  const request = fc
    .record({
      model: fc.constant('m'),
      max_tokens: fc.integer({ min: 1, max: 1000 }),
      messages: fc.array(fc.oneof(user, said, called), { minLength: 1, maxLength: 5 }),
      system: optional(fc.oneof(spoken, parted(text))),
      temperature: optional(fc.double({ min: 0, max: 1, noNaN: true })),
      stop_sequences: optional(fc.array(spoken, { minLength: 1, maxLength: 4 })),
      metadata: optional(spoken.map((user_id) => ({ user_id }))),
      tools: optional(fc.array(tool, { minLength: 1, maxLength: 3 })),
      tool_choice: optional(choice),
    })
    .map(({ messages, tools, tool_choice, ...rest }) =>
      defined({ ...rest, messages: messages.flat(), ...(tools ? { tools, tool_choice } : {}) }),
    );

  test('a request to Anthropic comes back as it was, with nothing to note', () => {
    fc.assert(
      fc.property(request, (given) => {
        const there = messagesToChat(given, 'm');
        const back = chatToMessages(there.body, 'm');
        expect([told(there), told(back)]).toEqual([[], []]);
        expect(defined(given.tools ? back.body : withoutTools(back.body))).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a conversation with thinking', () => {
  test('signed thinking of an answer goes back to who signed it, in its place', () => {
    const content: JsonObject[] = [
      { type: 'thinking', thinking: 'a', signature: 's' },
      { type: 'redacted_thinking', data: 'd' },
      { type: 'text', text: 't' },
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: { n: 1 } },
    ];
    const answer = messagesAnswerToChat({ content, stop_reason: 'tool_use' }, FRAME);
    const [choice] = answer.choices as readonly JsonObject[];
    const { body, notes } = chatToMessages({ messages: [choice?.message ?? null] }, 'm');
    expect(body.messages).toEqual([{ role: 'assistant', content }]);
    expect(notes).toEqual([]);
  });
});
