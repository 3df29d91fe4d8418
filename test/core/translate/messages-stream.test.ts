import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { MessagesToChatStream } from '../../../src/core/translate/messages-stream.ts';
import { dataOf, fixture, START, textOf } from '../../providers/provider-kit.ts';

function decodeAll(events: readonly object[], include_usage = true) {
  const decoder = new MessagesToChatStream({ ...START, include_usage });
  const chunks = events.map((event) =>
    decoder.decode(Buffer.from(`data: ${JSON.stringify(event)}\n\n`)),
  );
  return { decoder, chunks, data: dataOf(textOf(chunks)) };
}

test('a messages stream that ended without its last event still gets usage and an end', () => {
  const { decoder } = decodeAll([
    { type: 'message_start', message: { id: 'a', usage: { input_tokens: 3, output_tokens: 0 } } },
    { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 4 } },
  ]);
  const end = decoder.finish();
  expect(end.done).toBe(true);
  const text = textOf([end]);
  expect(dataOf(text)[0]).toMatchObject({
    id: 'chatcmpl-a',
    model: 'm',
    usage: { total_tokens: 7 },
  });
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('a messages stream whose tool begins with its input gives it at once, and once', () => {
  const content_block = { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } };
  const { data } = decodeAll([
    { type: 'content_block_start', index: 0, content_block },
    { type: 'content_block_stop', index: 0 },
  ]);
  const calls = data.flatMap(({ choices }) => choices as JsonObject[]).map(({ delta }) => delta);
  expect(calls).toEqual([
    {
      tool_calls: [
        { index: 0, id: 't', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
      ],
    },
  ]);
});

test('a messages stream’s events that mean nothing to a chat are dropped one by one', () => {
  const { chunks } = decodeAll([
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: {} } },
    { type: 'something_new' },
  ]);
  expect(chunks.map(({ event }) => event)).toEqual([null, null, null]);
});

test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
  ['model_context_window_exceeded', 'length'],
  ['pause_turn', 'stop'],
  ['something_new', 'stop'],
])('a messages stream that stops for %s finishes for %s', (stop_reason, finish_reason) => {
  const { data, chunks } = decodeAll([{ type: 'message_delta', delta: { stop_reason } }]);
  expect(data[0]).toMatchObject({ choices: [{ delta: {}, finish_reason }] });
  expect(chunks[0]?.facts.finish).toBe(finish_reason);
});

test('a messages stream’s tools that the provider runs are no calls of the client', () => {
  const server = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
  const own = { type: 'tool_use', id: 't', name: 'f', input: {} };
  const input = (partial_json: string) => ({
    type: 'content_block_delta',
    delta: { type: 'input_json_delta', partial_json },
  });
  const { data } = decodeAll([
    { type: 'content_block_start', index: 0, content_block: server },
    input('{"query":"x"}'),
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: own },
    input('{"a":1}'),
    { type: 'content_block_stop', index: 1 },
  ]);
  const calls = data.flatMap(({ choices }) => choices as JsonObject[]).map(({ delta }) => delta);
  expect(calls).toMatchObject([
    { tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] },
  ]);
});

test('a messages stream tells in a comment what its chunks could not, before the end', () => {
  const bad = { type: 'evil\n\ndata: {}' };
  const { chunks } = decodeAll([
    { type: 'message_start', message: { id: 'a', stop_sequence: null, usage: {} } },
    { type: 'content_block_start', index: 0, content_block: bad },
    { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: {} } },
    { type: 'message_delta', delta: { stop_reason: 'pause_turn', stop_sequence: null }, usage: {} },
    { type: 'message_stop' },
  ]);
  const end = textOf(chunks.slice(-1));
  expect(end.split('\n')[0]).toBe(
    ": x-hive-notes: answer.content.evil??data: {}: no counterpart in the client's dialect, " +
      "answer.content.text.citations: no counterpart in the client's dialect, " +
      'answer.stop_reason: pause_turn became stop',
  );
  expect(dataOf(end)).toHaveLength(1);
});

test.each(['anthropic-text.sse', 'anthropic-tools.sse'])(
  'a messages stream of which nothing is lost, such as %s, has no comment of ours',
  (name) => {
    const { chunks } = decodeAll(dataOf(fixture(name).toString()));
    expect(textOf(chunks)).not.toContain('x-hive-notes');
  },
);

test('a messages stream whose blocks are mixed gives each call its own arguments', () => {
  const begin = (index: number, id: string) => ({
    type: 'content_block_start',
    index,
    content_block: { type: 'tool_use', id, name: id, input: {} },
  });
  const input = (index: number, partial_json: string) => ({
    type: 'content_block_delta',
    index,
    delta: { type: 'input_json_delta', partial_json },
  });
  const end = (index: number) => ({ type: 'content_block_stop', index });
  const { data } = decodeAll([
    begin(0, 'a'),
    begin(1, 'b'),
    begin(2, 'c'),
    input(0, '{"x":'),
    input(1, '{"y":'),
    input(0, '1}'),
    end(0),
    input(1, '2}'),
    end(2),
    end(1),
  ]);
  const texts: Record<number, string> = {};
  for (const { choices } of data) {
    for (const { delta } of choices as { delta: { tool_calls: JsonObject[] } }[]) {
      for (const { index, function: called } of delta.tool_calls) {
        const said = (called as JsonObject).arguments;
        texts[Number(index)] = `${texts[Number(index)] ?? ''}${said as string}`;
      }
    }
  }
  expect(texts).toEqual({ 0: '{"x":1}', 1: '{"y":2}', 2: '{}' });
});
