import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { objectsIn } from '../../../src/core/json-values.ts';
import { chatAnswerToMessages, messagesAnswerToChat } from '../../../src/core/translate/answers.ts';
import { chatHeard, contentHeard } from '../../kit/heard.ts';
import { chunksOf, dataOf, make, START, textOf } from '../../providers/provider-kit.ts';

/** A stream gives what the whole answer of the same content gives, however it is cut. */

const anthropic = make('anthropic');
const openai = make('openai');
const FRAME = { model: 'm', created_s: START.created_s, call_id: START.call_id };

const words = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const name = fc.stringMatching(/^[a-z_]{1,8}$/);
const input = fc.dictionary(name, fc.oneof(words, fc.integer(), fc.constant(null)), {
  maxKeys: 2,
});
const cuts = fc.array(fc.nat(), { maxLength: 12 });
const RUNS = { numRuns: 200, seed: 11 };

type Block = { readonly type: string } & JsonObject;

const text = words.map((said): Block => ({ type: 'text', text: said }));
const thinking = fc
  .tuple(fc.oneof(words, fc.constant('')), words)
  .map(([thought, signature]): Block => ({ type: 'thinking', thinking: thought, signature }));
const redacted = words.map((data): Block => ({ type: 'redacted_thinking', data }));
const use = fc
  .tuple(name, input)
  .map(([called, given]): Block => ({ type: 'tool_use', name: called, input: given }));
/** Of one answer: ids are told apart by their place. */
const blocks = fc
  .array(fc.oneof(text, thinking, redacted, use), { minLength: 1, maxLength: 6 })
  .map((list) =>
    list.map(
      (block, at): Block => (block.type === 'tool_use' ? { ...block, id: `t${at}` } : block),
    ),
  );
const usage = fc.record({
  input_tokens: fc.nat(1e6),
  cache_read_input_tokens: fc.nat(1e6),
  cache_creation_input_tokens: fc.nat(1e6),
  output_tokens: fc.nat(1e6),
});

/** A text in pieces, as `sizes` says; whole where it says nothing. */
function piecesOf(whole: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let rest = whole;
  for (const size of sizes) {
    pieces.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return rest === '' && pieces.length > 0 ? pieces : [...pieces, rest];
}

function messageEvents(content: readonly Block[], sizes: readonly number[]): JsonObject[] {
  return content.flatMap((block, index) => {
    const delta = (type: string, key: string, whole: string): JsonObject[] =>
      piecesOf(whole, sizes).map((piece) => ({
        type: 'content_block_delta',
        index,
        delta: { type, [key]: piece },
      }));
    const said: JsonObject[] = [];
    if (block.type === 'text') said.push(...delta('text_delta', 'text', block.text as string));
    if (block.type === 'tool_use') {
      said.push(...delta('input_json_delta', 'partial_json', JSON.stringify(block.input)));
    }
    if (block.type === 'thinking') {
      const { thinking: thought, signature = '' } = block;
      const signed = { type: 'signature_delta', signature };
      said.push(...delta('thinking_delta', 'thinking', thought as string));
      said.push({ type: 'content_block_delta', index, delta: signed });
    }
    return [
      { type: 'content_block_start', index, content_block: emptied(block) },
      ...said,
      { type: 'content_block_stop', index },
    ];
  });
}

function emptied(block: Block): JsonObject {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block.type === 'tool_use' ? { ...block, input: {} } : block;
}

const sse = (events: readonly JsonObject[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

function messageStream(message: JsonObject, sizes: readonly number[]): string {
  const { content, stop_reason, usage: spent, ...head } = message;
  const { output_tokens, ...read } = spent as JsonObject;
  const started = { ...head, content: [], stop_reason: null, usage: { ...read, output_tokens: 1 } };
  return sse([
    { type: 'message_start', message: started },
    ...messageEvents(content as readonly Block[], sizes),
    { type: 'ping' },
    { type: 'message_delta', delta: { stop_reason }, usage: { output_tokens } } as JsonObject,
    { type: 'message_stop' },
  ]);
}

const answer = fc
  .record({ content: blocks, usage, reason: fc.constantFrom('end_turn', 'max_tokens', 'refusal') })
  .map(({ content, usage: spent, reason }): JsonObject => {
    const called = content.some(({ type }) => type === 'tool_use');
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'c',
      content,
      stop_reason: called ? 'tool_use' : reason,
      usage: spent,
    };
  });
const sizes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });

describe('a stream of Anthropic’s', () => {
  test('a stream of Anthropic’s says to a chat what its whole answer says', () => {
    fc.assert(
      fc.property(answer, sizes, cuts, (message, split, at) => {
        const stream = Buffer.from(messageStream(message, split));
        const chunks = dataOf(textOf(chunksOf(anthropic, stream, {}, at)));
        const whole = messagesAnswerToChat(message, FRAME);
        const [choice] = objectsIn(whole.choices);
        const said = choice?.message as JsonObject;
        expect(chatHeard(chunks)).toEqual({
          content: said.content ?? '',
          reasoning_content: said.reasoning_content ?? '',
          finish_reason: choice?.finish_reason,
          tool_calls: said.tool_calls ?? [],
          thinking_blocks: said.thinking_blocks ?? [],
        });
        expect(chunks.at(-1)?.usage).toEqual(whole.usage);
        for (const { id, created } of chunks) {
          expect([id, created]).toEqual([whole.id, whole.created]);
        }
      }),
      RUNS,
    );
  });

  test('a stream of Anthropic’s that went to a chat’s chunks and back has the same blocks', () => {
    fc.assert(
      fc.property(answer, sizes, (message, split) => {
        const there = textOf(chunksOf(anthropic, Buffer.from(messageStream(message, split))));
        const back = chunksOf(openai, Buffer.from(there), { endpoint: 'messages' });
        const events = dataOf(textOf(back));
        // Texts that follow each other are one in chunks.
        expect(contentHeard(events)).toEqual(withTextsJoined(message.content as readonly Block[]));
        expect(events.at(-2)).toMatchObject({
          delta: { stop_reason: message.stop_reason },
          usage: message.usage,
        });
      }),
      RUNS,
    );
  });
});

function withTextsJoined(content: readonly Block[]): JsonObject[] {
  const list: JsonObject[] = [];
  for (const block of content) {
    const last = list.at(-1);
    if (block.type !== 'text' || last?.type !== 'text') list.push(block);
    else list[list.length - 1] = { ...last, text: `${last.text as string}${block.text as string}` };
  }
  return list;
}

const chatAnswer = fc
  .record({
    reasoning: fc.option(words, { nil: '' }),
    content: fc.option(words, { nil: '' }),
    refusal: fc.option(words, { nil: '' }),
    calls: fc.array(fc.tuple(name, input), { maxLength: 3 }),
    finish: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', 'function_call'),
    usage: fc.record({ prompt_tokens: fc.nat(1e6), completion_tokens: fc.nat(1e6) }),
  })
  .map(({ reasoning, content, refusal, calls, finish, usage: spent }): JsonObject => {
    const tool_calls = calls.map(([called, given], at) => ({
      id: `call_${at}`,
      type: 'function',
      function: { name: called, arguments: JSON.stringify(given) },
    }));
    const message = {
      role: 'assistant',
      content,
      reasoning_content: reasoning,
      refusal,
      tool_calls,
    };
    const choices = [{ index: 0, message, finish_reason: finish }];
    return { id: 'chatcmpl-1', model: 'g', created: 1, choices, usage: spent };
  });

/** Its chunks; those of several calls are mixed where `mixed` says so. */
function chatStream(whole: JsonObject, split: readonly number[], mixed: boolean): string {
  const { choices, usage: spent, ...head } = whole;
  const [choice] = objectsIn(choices);
  const message = choice?.message as JsonObject;
  const chunk = (delta: JsonObject, finish_reason: JsonObject[string] = null): JsonObject => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason }],
    usage: null,
  });
  const texts = ['reasoning_content', 'content', 'refusal'].flatMap((key) =>
    piecesOf(message[key] as string, split).map((piece) => chunk({ [key]: piece })),
  );
  const calls = objectsIn(message.tool_calls).map((call, index) => {
    const called = call.function as JsonObject;
    const first = { ...call, index, function: { ...called, arguments: '' } };
    const rest = piecesOf(called.arguments as string, split);
    return [first, ...rest.map((piece) => ({ index, function: { arguments: piece } }))];
  });
  const order = mixed ? byTurns(calls) : calls.flat();
  return `${sse([
    chunk({ role: 'assistant', content: '' }),
    ...texts,
    ...order.map((call) => chunk({ tool_calls: [call] })),
    chunk({}, choice?.finish_reason ?? null),
    { ...head, choices: [], usage: spent ?? null },
  ])}data: [DONE]\n\n`;
}

function byTurns<Item>(lists: readonly (readonly Item[])[]): Item[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }).flatMap((_, turn) =>
    lists.flatMap((list) => (turn < list.length ? [list[turn] as Item] : [])),
  );
}

test('a chat’s stream says to Anthropic’s clients what its whole answer says', () => {
  fc.assert(
    fc.property(chatAnswer, sizes, fc.boolean(), cuts, (whole, split, mixed, at) => {
      const stream = Buffer.from(chatStream(whole, split, mixed));
      const events = dataOf(textOf(chunksOf(openai, stream, { endpoint: 'messages' }, at)));
      const message = chatAnswerToMessages(whole, FRAME);
      expect(contentHeard(events)).toEqual(withTextsJoined(message.content as readonly Block[]));
      expect(events[0]).toMatchObject({ message: { id: message.id, model: message.model } });
      expect(events.at(-2)).toMatchObject({
        delta: { stop_reason: message.stop_reason },
        usage: message.usage,
      });
    }),
    RUNS,
  );
});
