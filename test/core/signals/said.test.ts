import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { END_CHARS, SaidText } from '../../../src/core/signals/said.ts';
import {
  saidInChoice,
  saidInMessage,
  saidInMessageEvent,
  saidInResponse,
  saidInResponseEvent,
} from '../../../src/core/signals/said-in.ts';

test('SaidText keeps both ends of what is said, however it is cut', () => {
  const pieces = fc.array(fc.string({ maxLength: 900 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (all) => {
      const said = new SaidText();
      for (const text of all) said.add({ text });
      const whole = all.join('');
      expect(said.chars).toBe(whole.length);
      expect(said.ends().slice(0, END_CHARS)).toBe(whole.slice(0, END_CHARS));
      expect(said.ends().slice(-END_CHARS)).toBe(whole.slice(-END_CHARS));
      expect([whole, null]).toContain(said.whole());
      expect(said.ends().length).toBeLessThan(END_CHARS * 9);
    }),
  );
});

test('SaidText keeps a whole text up to its limit and no longer', () => {
  const said = new SaidText(5000);
  said.add({ text: 'x'.repeat(5000) });
  expect(said.whole()).toHaveLength(5000);
  said.add({ text: 'y', tools: 1, refusal: true });
  expect(said.whole()).toBeNull();
  expect(said).toMatchObject({ chars: 5001, tools: 1, refused: true });
});

test('saidInChoice reads whole answers, chunks, tools and refusals', () => {
  expect(saidInChoice({ message: { content: 'hi' } })).toEqual({ text: 'hi' });
  expect(saidInChoice({ delta: { content: 'h' } })).toEqual({ text: 'h' });
  expect(saidInChoice({ text: 'old' })).toEqual({ text: 'old' });
  const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'no answer' }] };
  const parts = [thought, { type: 'text', text: 'h' }, { type: 'text', text: 'i' }];
  expect(saidInChoice({ delta: { content: parts } })).toEqual({ text: 'hi' });
  const calls: JsonObject[] = [
    { id: 'c1', function: {} },
    { index: 1, function: { arguments: '{' } },
  ];
  expect(saidInChoice({ delta: { tool_calls: calls } })).toEqual({ tools: 1 });
  const refusal = { text: 'no', refusal: true };
  expect(saidInChoice({ message: { content: null, refusal: 'no' } })).toEqual(refusal);
  expect(saidInChoice({ delta: { role: 'assistant', content: '' } })).toBeUndefined();
});

test('saidInMessage and its events read Anthropic’s words', () => {
  const content: JsonObject[] = [
    { type: 'thinking', thinking: 'x' },
    { type: 'text', text: 'hi' },
    { type: 'tool_use' },
  ];
  expect(saidInMessage({ content })).toEqual({ text: 'hi', tools: 1 });
  expect(saidInMessage({ content: [], stop_reason: 'refusal' })).toMatchObject({ refusal: true });
  const delta = (of: JsonObject) => saidInMessageEvent({ type: 'content_block_delta', delta: of });
  expect(delta({ type: 'text_delta', text: 'h' })).toEqual({ text: 'h' });
  expect(delta({ type: 'thinking_delta', thinking: 'h' })).toBeUndefined();
  const start = { type: 'content_block_start', content_block: { type: 'tool_use' } };
  expect(saidInMessageEvent(start)).toEqual({ tools: 1 });
  expect(saidInMessageEvent({ type: 'ping' })).toBeUndefined();
});

test('saidInResponse and its events read the words of responses', () => {
  const message = { type: 'message', content: [{ type: 'output_text', text: 'hi' }] };
  const output = [message, { type: 'function_call', name: 'f' }];
  expect(saidInResponse({ output })).toEqual({ text: 'hi', tools: 1 });
  const refusal = [{ type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }];
  expect(saidInResponse({ output: refusal })).toEqual({ text: 'no', tools: 0, refusal: true });
  const text = { type: 'response.output_text.delta', delta: 'h' };
  expect(saidInResponseEvent(text)).toEqual({ text: 'h' });
  const added = { type: 'response.output_item.added', item: { type: 'function_call' } };
  expect(saidInResponseEvent(added)).toEqual({ tools: 1 });
  expect(saidInResponseEvent({ type: 'response.completed' })).toBeUndefined();
});

test('what is said in JSON of any shape is read without throwing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (odd) => {
      const value = odd as JsonObject;
      const body = { message: value, delta: value, content: [value], output: [value], item: value };
      for (const read of [saidInChoice, saidInMessage, saidInResponse]) read(body as JsonObject);
      for (const type of ['content_block_delta', 'content_block_start', 'message_delta']) {
        saidInMessageEvent({ ...body, type, content_block: value });
      }
      saidInResponseEvent({ ...body, type: 'response.output_item.added' });
    }),
  );
});
