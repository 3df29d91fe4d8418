import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { parseExact } from '../../../src/core/exact-json.ts';
import { objectsIn, textIn } from '../../../src/core/json-values.ts';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';
import { messagesToChat } from '../../../src/core/translate/messages-request.ts';

/** Whatever a conversation is like, its words, calls and results come through, in their order. */

const words = fc
  .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
  .filter((text) => text.trim() === text && text !== '');
const id = fc.stringMatching(/^[A-Za-z0-9_-]{4,8}$/);
const name = fc.stringMatching(/^[a-z_]{1,6}$/);
/** Arguments as models write them: numbers beyond a double, escapes, keys in any order. */
const args = fc.constantFrom(
  '{}',
  '{"n":9223372036854775807,"f":1.0}',
  '{"big":1e400,"small":-1E-999}',
  '{"b":{"a":[1,2.50,null]},"a":"\\u00e9\\n\\ud83d\\ude00"}',
  '{"__proto__":{"x":1},"constructor":0}',
);

const text = words.map((said): JsonObject => ({ type: 'text', text: said }));
const content = fc.oneof(words, fc.array(text, { minLength: 1, maxLength: 3 }));
const thought = fc
  .tuple(words, words)
  .map(([thinking, signature]): JsonObject => ({ type: 'thinking', thinking, signature }));

const system = fc.tuple(fc.constantFrom('system', 'developer'), content);
const turns: fc.Arbitrary<JsonObject[]> = fc.oneof(
  system.map(([role, said]) => [{ role, content: said }]),
  content.map((said) => [{ role: 'user', content: said }]),
  fc
    .record({
      said: fc.option(content),
      thoughts: fc.array(thought, { maxLength: 2 }),
      calls: fc.uniqueArray(fc.tuple(id, name, args), { maxLength: 3, selector: ([one]) => one }),
      result: content,
      backwards: fc.boolean(),
    })
    .filter(({ said, calls }) => said !== null || calls.length > 0)
    .map(({ said, thoughts, calls, result, backwards }) => {
      const tool_calls = calls.map(([call_id, called, given]) => ({
        id: call_id,
        type: 'function',
        function: { name: called, arguments: given },
      }));
      const results = calls.map(([tool_call_id]) => ({
        role: 'tool',
        tool_call_id,
        content: result,
      }));
      return [
        {
          role: 'assistant',
          content: said,
          ...(thoughts.length > 0 ? { thinking_blocks: thoughts } : {}),
          ...(tool_calls.length > 0 ? { tool_calls } : {}),
        },
        ...(backwards ? results.reverse() : results),
      ];
    }),
);

/** What is said, one thing a line; what stands before all turns first. */
function saidIn(messages: Json | undefined): unknown[] {
  const all = objectsIn(messages).flatMap(({ role, content: said, tool_calls, tool_call_id }) => {
    const texts =
      typeof said === 'string' ? [said] : objectsIn(said).map((one) => textIn(one.text));
    const who = role === 'developer' ? 'system' : role;
    const calls = objectsIn(tool_calls).map((call) => {
      const called = call.function as JsonObject;
      return ['call', call.id, called.name, JSON.stringify(parseExact(textIn(called.arguments)))];
    });
    return [
      ...texts.filter((one) => one !== '').map((one) => [who, tool_call_id ?? '', one]),
      ...calls,
    ];
  });
  const isSystem = ([who]: unknown[]): boolean => who === 'system';
  return [...all.filter(isSystem), ...all.filter((one) => !isSystem(one))];
}

test('a conversation that went to Anthropic’s dialect and back has lost and moved nothing', () => {
  fc.assert(
    fc.property(fc.array(turns, { minLength: 1, maxLength: 5 }), (list) => {
      const messages = list.flat();
      const there = chatToMessages({ messages }, 'm').body;
      // A conversation of the system's words alone is asked by the user.
      fc.pre(messages.some(({ role }) => role === 'user' || role === 'assistant'));
      const back = messagesToChat(there, 'm', { reasoning: 'reasoning_content' }).body;
      expect(saidIn(back.messages)).toEqual(saidIn(messages));
      const signed = (given: Json | undefined) =>
        objectsIn(given).flatMap(({ thinking_blocks, content: blocks }) => [
          ...objectsIn(thinking_blocks),
          ...objectsIn(blocks).filter(({ type }) => type === 'thinking'),
        ]);
      expect(signed(there.messages)).toEqual(signed(messages));
    }),
    { numRuns: 300, seed: 23 },
  );
});
