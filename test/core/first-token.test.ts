import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/canonical.ts';
import {
  isEmptyChunk,
  isEmptyMessagesEvent,
  isEmptyResponseEvent,
} from '../../src/core/first-token.ts';

const chunkOf = (delta: unknown, more: object = {}) =>
  ({ id: 'c', choices: [{ index: 0, delta, finish_reason: null, ...more }] }) as JsonObject;
const BY_AZURE = {
  choices: [],
  created: 0,
  id: '',
  model: '',
  object: '',
  prompt_filter_results: [
    { prompt_index: 0, content_filter_results: { hate: { filtered: false } } },
  ],
} as unknown as JsonObject;

describe('isEmptyChunk', () => {
  test.each<[string, JsonObject]>([
    ['of OpenAI', chunkOf({ role: 'assistant', content: '', refusal: null }, { logprobs: null })],
    [
      'of vLLM, which tells of usage each time',
      {
        ...chunkOf({ role: 'assistant', content: '' }),
        usage: { prompt_tokens: 3, completion_tokens: 0 },
      },
    ],
    ['without a role', chunkOf({})],
    [
      'with lists that are empty',
      chunkOf({ content: null, tool_calls: [], reasoning_details: [] }),
    ],
    ['with probabilities of nothing', chunkOf({}, { logprobs: { content: [], refusal: null } })],
    ['of Azure, about the prompt', BY_AZURE],
    [
      'of Azure, about the answer so far',
      chunkOf({ role: 'assistant' }, { content_filter_results: { hate: { filtered: false } } }),
    ],
    [
      'of a text completion',
      { choices: [{ index: 0, text: '', logprobs: null, finish_reason: null }] },
    ],
  ])('knows an opening %s', (_name, chunk) => {
    expect(isEmptyChunk(chunk)).toBe(true);
  });

  test.each<[string, JsonObject]>([
    ['content', chunkOf({ content: ' ' })],
    ['a tool call', chunkOf({ tool_calls: [{ index: 0 }] })],
    ['reasoning', chunkOf({ role: 'assistant', reasoning_content: 'hm' })],
    ['a refusal', chunkOf({ refusal: 'no' })],
    ['an end', chunkOf({}, { finish_reason: 'stop' })],
    ['a field that nobody knows', chunkOf({ role: 'assistant', hologram: 'x' })],
    ['a number that nobody knows', chunkOf({ content: '', score: 0 })],
    ['a field of the choice that nobody knows', chunkOf({}, { verdict: 'x' })],
    ['a word of a text completion', { choices: [{ index: 0, text: 'a' }] }],
    ['the second of two choices', { choices: [{ delta: {} }, { delta: { content: 'a' } }] }],
    ['usage alone', { choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } }],
    ['no choices, but what nobody knows', { choices: [], hologram: 'x' }],
    ['no list of choices', { id: 'x' }],
    ['a choice that is none', { choices: ['a'] }],
  ])('takes %s for a token', (_name, chunk) => {
    expect(isEmptyChunk(chunk)).toBe(false);
  });
});

describe('isEmptyMessagesEvent', () => {
  const block = (content_block: object) =>
    ({ type: 'content_block_start', index: 0, content_block }) as unknown as JsonObject;
  const delta = (given: object) =>
    ({ type: 'content_block_delta', index: 0, delta: given }) as unknown as JsonObject;

  test.each<[string, JsonObject]>([
    ['a start', { type: 'message_start', message: { content: [], usage: { input_tokens: 9 } } }],
    ['a ping', { type: 'ping' }],
    ['a text without a word', block({ type: 'text', text: '' })],
    ['an empty piece of one', delta({ type: 'text_delta', text: '' })],
    ['the end of one', { type: 'content_block_stop', index: 0 }],
  ])('knows %s', (_name, event) => {
    expect(isEmptyMessagesEvent(event)).toBe(true);
  });

  test.each<[string, JsonObject]>([
    ['a word', delta({ type: 'text_delta', text: 'a' })],
    ['a text that begins with one', block({ type: 'text', text: 'a' })],
    ['a tool’s use', block({ type: 'tool_use', id: 't', name: 'f', input: {} })],
    ['thinking, though it may go on in silence', block({ type: 'thinking', thinking: '' })],
    ['a block that nobody knows', block({ type: 'hologram' })],
    ['an end', { type: 'message_delta', delta: { stop_reason: 'end_turn' } }],
    ['a start that says something', { type: 'message_start', message: { content: ['x'] } }],
    ['an event that nobody knows', { type: 'hologram' }],
    ['no type', {}],
  ])('takes %s for a token', (_name, event) => {
    expect(isEmptyMessagesEvent(event)).toBe(false);
  });
});

describe('isEmptyResponseEvent', () => {
  const of = (event: object) => {
    const body = event as JsonObject & { readonly type: string };
    return isEmptyResponseEvent(body.type, body);
  };

  test.each<[string, object]>([
    ['created', { type: 'response.created', response: { status: 'in_progress', output: [] } }],
    ['queued', { type: 'response.queued', response: {} }],
    ['in progress', { type: 'response.in_progress', response: { output: [] } }],
    ['alive', { type: 'keepalive' }],
    ['a message', { type: 'response.output_item.added', item: { type: 'message', content: [] } }],
    ['a text', { type: 'response.content_part.added', part: { type: 'output_text', text: '' } }],
  ])('knows %s', (_name, event) => {
    expect(of(event)).toBe(true);
  });

  test.each<[string, object]>([
    ['a word', { type: 'response.output_text.delta', delta: 'a' }],
    ['reasoning', { type: 'response.output_item.added', item: { type: 'reasoning', summary: [] } }],
    ['a call', { type: 'response.output_item.added', item: { type: 'function_call' } }],
    ['an end', { type: 'response.completed', response: { output: [] } }],
    ['an event that nobody knows', { type: 'response.hologram' }],
  ])('takes %s for a token', (_name, event) => {
    expect(of(event)).toBe(false);
  });
});

test('what is empty is told of any JSON without a throw', () => {
  const json = fc.jsonValue({ maxDepth: 5 }).map((value) => value as JsonObject);
  const types = fc.constantFrom('message_start', 'content_block_start', 'response.created');
  fc.assert(
    fc.property(json, json, types, (one, other, type) => {
      isEmptyChunk({ choices: [one, { delta: other }] });
      isEmptyMessagesEvent({ type, message: one, content_block: other });
      isEmptyResponseEvent(type, { type, response: one, item: other });
    }),
  );
  const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as JsonObject;
  expect(isEmptyChunk({ choices: [{ delta: deep }] })).toBe(false);
});
