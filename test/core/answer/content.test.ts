import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentOfBody, contentOfEvents } from '../../../src/core/answer/content.ts';
import type { Endpoint } from '../../../src/core/call.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const event = (value: unknown): Uint8Array => Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
const events = (endpoint: Endpoint, ...values: readonly unknown[]) =>
  contentOfEvents(endpoint, values.map(event));

describe('content of an answer', () => {
  test('content of a chat completion is its first choice’s text, tools and probabilities', () => {
    const tool = { id: 't', type: 'function', function: { name: 'look', arguments: '{"a":1}' } };
    const message = { role: 'assistant', content: 'Hello', tool_calls: [tool] };
    const logprobs = { content: [{ logprob: -1 }, { logprob: -3 }] };
    const choices = [
      { index: 1, message: { content: 'other' } },
      { index: 0, message, logprobs },
    ];
    expect(contentOfBody('chat.completions', bytes({ choices }))).toEqual({
      text: 'Hello',
      refused: false,
      tools: [{ name: 'look', arguments: '{"a":1}' }],
      logprob: -2,
    });
  });

  test('content of a chat stream joins the pieces of text and of each tool’s arguments', () => {
    const part = (index: number, made: object) => ({ index, function: made });
    const chunk = (delta: object) => ({ choices: [{ index: 0, delta }] });
    const content = events(
      'chat.completions',
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'On' }),
      chunk({ content: 'e' }),
      chunk({ tool_calls: [part(1, { name: 'second', arguments: '{"b"' })] }),
      chunk({ tool_calls: [part(0, { name: 'first', arguments: '{}' })] }),
      chunk({ tool_calls: [part(1, { arguments: ':2}' })] }),
      { choices: [] },
    );
    expect(content.text).toBe('One');
    expect(content.tools).toEqual([
      { name: 'first', arguments: '{}' },
      { name: 'second', arguments: '{"b":2}' },
    ]);
  });

  test('content of a refusal is told as one in each dialect', () => {
    const chat = { choices: [{ message: { content: null, refusal: 'No.' } }] };
    const message = { content: [], stop_reason: 'refusal' };
    const response = {
      output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No' }] }],
    };
    expect(contentOfBody('chat.completions', bytes(chat))).toMatchObject({ refused: true });
    expect(contentOfBody('messages', bytes(message))).toMatchObject({ refused: true });
    expect(contentOfBody('responses', bytes(response))).toMatchObject({ refused: true });
    const ended = { type: 'message_delta', delta: { stop_reason: 'refusal' } };
    expect(events('messages', ended)).toMatchObject({ refused: true });
  });

  test('content of a message and of its stream are the same', () => {
    const whole = contentOfBody(
      'messages',
      bytes({
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'Hello' },
          { type: 'tool_use', name: 'look', input: { a: 1 } },
        ],
      }),
    );
    const streamed = events(
      'messages',
      { type: 'message_start', message: { id: 'm' } },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: 'He' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'llo' } },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', name: 'look' } },
      { type: 'content_block_delta', index: 2, delta: { partial_json: '{"a"' } },
      { type: 'content_block_delta', index: 2, delta: { partial_json: ':1}' } },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
    );
    expect(streamed).toEqual(whole);
    expect(whole.text).toBe('Hello');
    expect(whole.tools).toEqual([{ name: 'look', arguments: '{"a":1}' }]);
  });

  test('content of a response’s stream is told once, though its last event says all again', () => {
    const output = [
      { type: 'message', content: [{ type: 'output_text', text: 'Hello', logprobs: [] }] },
      { type: 'function_call', name: 'look', arguments: '{}' },
    ];
    const content = events(
      'responses',
      { type: 'response.output_text.delta', delta: 'Hel' },
      { type: 'response.output_text.delta', delta: 'lo' },
      { type: 'response.completed', response: { output } },
    );
    expect(content.text).toBe('Hello');
    expect(content.tools).toEqual([{ name: 'look', arguments: '{}' }]);
  });

  test('content of older completions has their text and probabilities', () => {
    const choice = { text: 'Hello', index: 0, logprobs: { token_logprobs: [null, -4] } };
    const body = bytes({ choices: [choice] });
    expect(contentOfBody('completions', body)).toMatchObject({ text: 'Hello', logprob: -4 });
  });

  test('content is read of an event that translation made of several, and of none', () => {
    const chunk = (content: string) => `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`;
    const joined = Buffer.from(`: hi\n\n${chunk('a')}${chunk('b')}data: [DONE]\n\n`);
    expect(contentOfEvents('chat.completions', [null, joined]).text).toBe('ab');
  });

  test('content never throws, whatever JSON an upstream sends', () => {
    const endpoint = fc.constantFrom<Endpoint>('chat.completions', 'messages', 'responses');
    const keys = fc.constantFrom(
      ...'choices message delta content tool_calls function logprobs type index text'.split(' '),
      ...'output response refusal content_block partial_json'.split(' '),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, 1, 'text', 'content_block_delta', 'response.completed', true),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(endpoint, tree, (name, value) => {
        expect(typeof contentOfBody(name, bytes(value ?? null)).text).toBe('string');
        expect(typeof contentOfEvents(name, [event(value ?? null)]).text).toBe('string');
      }),
      { seed: 6 },
    );
  });
});
