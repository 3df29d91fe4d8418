import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { ChatToMessagesStream } from '../../../src/core/translate/chat-stream.ts';
import {
  chunksOf,
  dataOf,
  factsOf,
  fixture,
  make,
  START,
  textOf,
} from '../../providers/provider-kit.ts';

const openai = make('openai');
const asMessages = { endpoint: 'messages' } as const;

function chunk(delta: object, finish_reason: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason }];
  return `data: ${JSON.stringify({ id: 'c1', model: 'g', choices })}\n\n`;
}

function events(stream: string): JsonObject[] {
  return dataOf(textOf(chunksOf(openai, Buffer.from(stream), asMessages)));
}

/** What Anthropic's SDK makes of events: blocks by index, deltas joined. */
function assembled(list: readonly JsonObject[]): JsonObject[] {
  const blocks: Record<string, unknown>[] = [];
  for (const event of list) {
    const index = event.index as number;
    if (event.type === 'content_block_start')
      blocks[index] = { ...(event.content_block as object) };
    if (event.type !== 'content_block_delta') continue;
    const block = blocks[index];
    if (!block) throw new Error(`a delta of block ${index}, which has not begun`);
    for (const [key, value] of Object.entries(event.delta as Record<string, string>)) {
      if (key === 'type') continue;
      block[key] = `${(block[key] as string | undefined) ?? ''}${value}`;
    }
  }
  return blocks as JsonObject[];
}

/** Blocks begin in order, one at a time, and each one ends before the message does. */
function expectWellFormed(list: readonly JsonObject[]): void {
  expect(list[0]?.type).toBe('message_start');
  expect(list.slice(-2).map(({ type }) => type)).toEqual(['message_delta', 'message_stop']);
  let open: unknown = null;
  let begun = 0;
  for (const { type, index } of list.slice(1, -2)) {
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([null, begun]);
      open = index;
      begun += 1;
    } else if (type === 'content_block_stop') {
      expect(index).toBe(open);
      open = null;
    } else {
      expect([type, index]).toEqual(['content_block_delta', open]);
    }
  }
  expect(open).toBeNull();
}

describe('chat stream to messages', () => {
  test('chat stream of text and parallel tools becomes blocks in order', () => {
    const chunks = chunksOf(openai, fixture('openai-tools.sse'), asMessages);
    const list = dataOf(textOf(chunks));
    expectWellFormed(list);
    expect(assembled(list)).toEqual([
      { type: 'text', text: 'Let me look 🔎.' },
      {
        type: 'tool_use',
        id: 'call_1',
        name: 'get_weather',
        input: {},
        partial_json: '{"city":"Bern"}',
      },
      { type: 'tool_use', id: 'call_2', name: 'now', input: {}, partial_json: '{}' },
    ]);
    expect(list[0]).toMatchObject({
      message: { id: 'msg_Dx1', model: 'gpt-4.1-2025-04-14', role: 'assistant', content: [] },
    });
    expect(list.at(-2)).toEqual({
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: {
        input_tokens: 18,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 32,
        output_tokens: 30,
      },
    });
    expect(chunks.at(-1)?.done).toBe(true);
    expect(chunks.some(({ usage_only }) => usage_only)).toBe(false);
    expect(factsOf(chunks)).toMatchObject({ finish: 'tool_calls', tokens: { in: 50, cached: 32 } });
  });

  test('chat stream reads the same however its bytes are cut', () => {
    for (const name of ['openai-tools.sse', 'deepseek-reasoner.sse', 'azure-stream.sse']) {
      const stream = fixture(name);
      const whole = textOf(chunksOf(openai, stream, asMessages));
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
          expect(textOf(chunksOf(openai, stream, asMessages, cuts))).toBe(whole);
        }),
        { numRuns: 60 },
      );
    }
  });

  test.each(['anthropic-text.sse', 'anthropic-tools.sse'])(
    'chat stream gives %s back as it was, but for its pings and redacted thoughts',
    (name) => {
      const original = dataOf(fixture(name).toString());
      const chat = textOf(chunksOf(make('anthropic'), fixture(name)));
      const back = events(chat);
      expectWellFormed(back);
      const kept = (list: readonly JsonObject[]) =>
        assembled(list).filter(
          (block) => block !== undefined && block.type !== 'redacted_thinking',
        );
      const filled = kept(original).map((block) =>
        block.type === 'tool_use' ? { partial_json: '{}', ...block } : block,
      );
      expect(kept(back)).toEqual(filled);
      expect(back.at(-2)).toMatchObject({ delta: original.at(-2)?.delta });
    },
  );

  test('chat stream whose host gives every call one index keeps them apart by id', () => {
    const call = (id: string, text: string) =>
      chunk({ tool_calls: [{ index: 0, id, function: { name: 'f', arguments: text } }] });
    const list = events(`${call('a', '{"x":1}')}${call('b', '{}')}data: [DONE]\n\n`);
    expectWellFormed(list);
    expect(assembled(list).map(({ id, partial_json }) => [id, partial_json])).toEqual([
      ['a', '{"x":1}'],
      ['b', '{}'],
    ]);
    expect(list.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  test('chat stream keeps any number of calls apart that have one index', () => {
    const tool_calls = Array.from({ length: 40_000 }, (_, at) => {
      return { index: 0, id: `t${at}`, function: { name: 'f', arguments: '{}' } };
    });
    const stream = new ChatToMessagesStream({ ...START, ...asMessages });
    // Where each were looked for among all before it, this would take minutes.
    const { event } = stream.decode(Buffer.from(chunk({ tool_calls })));
    expect(String(event).split('event: content_block_start').length - 1).toBe(tool_calls.length);
  });

  test('chat stream whose host leaves the index out joins what has no id to the last call', () => {
    const list = events(
      [
        chunk({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{"x"' } }] }),
        chunk({ tool_calls: [{ function: { arguments: ':1}' } }] }),
        chunk({ tool_calls: [{ id: 'b', function: { name: 'g', arguments: '{}' } }] }),
        'data: [DONE]\n\n',
      ].join(''),
    );
    expect(assembled(list).map(({ id, partial_json }) => [id, partial_json])).toEqual([
      ['a', '{"x":1}'],
      ['b', '{}'],
    ]);
  });

  test('chat stream whose host leaves id and index of several calls out goes by place', () => {
    const calls = (...parts: readonly object[]) => chunk({ tool_calls: parts });
    const list = events(
      [
        calls({ id: 'a', function: { name: 'f' } }, { id: 'b', function: { name: 'g' } }),
        calls({ function: { arguments: '{"x":1}' } }, { function: { arguments: '{"y":2}' } }),
        'data: [DONE]\n\n',
      ].join(''),
    );
    expect(assembled(list).map(({ id, partial_json }) => [id, partial_json])).toEqual([
      ['a', '{"x":1}'],
      ['b', '{"y":2}'],
    ]);
  });

  test('chat stream whose calls are mixed becomes blocks one after another', () => {
    const call = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
    const list = events(
      [
        call(0, { id: 'a', function: { name: 'f', arguments: '' } }),
        call(1, { id: 'b', function: { name: 'g', arguments: '' } }),
        call(0, { function: { arguments: '{"x":' } }),
        call(1, { function: { arguments: '{"y":' } }),
        chunk({ content: 'amid' }),
        call(0, { function: { arguments: '1}' } }),
        call(1, { function: { arguments: '2}' } }),
        chunk({}, 'tool_calls'),
        'data: [DONE]\n\n',
      ].join(''),
    );
    expectWellFormed(list);
    expect(assembled(list)).toMatchObject([
      { id: 'a', partial_json: '{"x":1}' },
      { id: 'b', partial_json: '{"y":2}' },
      { type: 'text', text: 'amid' },
    ]);
  });

  test('chat stream’s second call begins as soon as the first one is whole', () => {
    const decoder = new ChatToMessagesStream({ ...START, ...asMessages });
    const call = (index: number, args: string) =>
      chunk({ tool_calls: [{ index, id: `c${index}`, function: { name: 'f', arguments: args } }] });
    const said = [call(0, '{}'), call(1, '{"x"')].map((event) =>
      dataOf(textOf([decoder.decode(Buffer.from(event))])).map(({ type }) => type),
    );
    expect(said[1]).toEqual(['content_block_stop', 'content_block_start', 'content_block_delta']);
  });

  test('chat stream whose chunks finish for nothing goes on as one block', () => {
    const texts = ['a', 'b'].map((text) => chunk({ content: text }, '')).join('');
    const list = events(`${texts}${chunk({}, 'length')}data: [DONE]\n\n`);
    expectWellFormed(list);
    expect(assembled(list)).toEqual([{ type: 'text', text: 'ab' }]);
    expect(list.at(-2)).toMatchObject({ delta: { stop_reason: 'max_tokens' } });
  });

  test('chat stream whose host gives arguments as an object, or null, says them as JSON', () => {
    const call = (index: number, args: unknown) =>
      chunk({ tool_calls: [{ index, id: `c${index}`, function: { name: 'f', arguments: args } }] });
    const list = events(`${call(0, { a: 1 })}${call(1, 'null')}${call(2, '{}')}data: [DONE]\n\n`);
    expect(assembled(list).map(({ partial_json }) => partial_json)).toEqual([
      '{"a":1}',
      undefined,
      '{}',
    ]);
  });

  test('chat stream tells in a comment what its events could not, before the end', () => {
    const stream = `${chunk({ content: 'a', annotations: [{ type: 'x' }] })}data: [DONE]\n\n`;
    const text = textOf(chunksOf(openai, Buffer.from(stream), asMessages));
    expect(text).toMatch(
      /\n\n: x-hive-notes: answer\.message\.annotations: [^\n]+\n\nevent: message_d/,
    );
    const plain = `${chunk({ content: 'a', role: 'assistant' }, 'stop')}data: [DONE]\n\n`;
    expect(textOf(chunksOf(openai, Buffer.from(plain), asMessages))).not.toContain('x-hive-notes');
  });

  test('chat stream’s refusal is text, and the reason that it stopped', () => {
    const list = events(`${chunk({ refusal: 'No.' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    expect(assembled(list)).toEqual([{ type: 'text', text: 'No.' }]);
    expect(list.at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
  });

  test('chat stream without its end is closed by who noticed', () => {
    const decoder = new ChatToMessagesStream({ ...START, ...asMessages });
    const heard = [chunk({ content: 'a' }), chunk({}, 'length')].map((event) =>
      decoder.decode(Buffer.from(event)),
    );
    const end = decoder.finish();
    expect(end.done).toBe(true);
    const list = dataOf(textOf([...heard, end]));
    expectWellFormed(list);
    expect(list.at(-2)).toMatchObject({ delta: { stop_reason: 'max_tokens' } });
  });

  test('chat stream is well formed whatever deltas come in whatever order', () => {
    const call = fc.record(
      {
        index: fc.nat({ max: 2 }),
        id: fc.constantFrom('a', 'b', 'c'),
        function: fc.record({ name: fc.constant('f'), arguments: fc.constantFrom('', '{', '}') }),
      },
      { requiredKeys: [] },
    );
    const delta = fc.record(
      {
        role: fc.constant('assistant'),
        content: fc.oneof(fc.string(), fc.constant(null)),
        reasoning_content: fc.string(),
        refusal: fc.constantFrom(null, 'no'),
        tool_calls: fc.array(call, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 8 }), (deltas) => {
        const stream = `${deltas.map((one) => chunk(one)).join('')}data: [DONE]\n\n`;
        const list = events(stream);
        expectWellFormed(list);
        const texts = assembled(list).filter(({ type }) => type === 'text');
        const given = deltas.map(({ content, refusal }) => `${content ?? ''}${refusal ?? ''}`);
        expect(texts.map(({ text }) => String(text as string)).join('')).toBe(given.join(''));
      }),
      { numRuns: 300 },
    );
  });
});
