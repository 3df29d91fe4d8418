import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { messagesToChat } from '../../../src/core/translate/messages-request.ts';
import type { ChatQuirks } from '../../../src/core/translate/quirks.ts';

const HI = { role: 'user', content: 'hi' };

function translate(messages: object, quirks: ChatQuirks = {}, model = 'gpt-5-mini') {
  const body = { max_tokens: 10, messages: [HI], ...messages } as JsonObject;
  const translated = messagesToChat(body, model, quirks);
  return {
    body: translated.body as Record<string, unknown>,
    notes: translated.notes.map(({ subject }) => subject),
  };
}

describe('messages to chat completion', () => {
  test('messages’ tool results stand behind their calls, their pictures with the user', () => {
    const image = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: 'QQ' },
    };
    const { body, notes } = translate({
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'look' },
            { type: 'tool_use', id: 't1', name: 'shot', input: { n: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'and?' },
            {
              type: 'tool_result',
              tool_use_id: 't1',
              is_error: true,
              content: [{ type: 'text', text: 'done' }, image],
            },
          ],
        },
      ],
    });
    expect(body.messages).toEqual([
      {
        role: 'assistant',
        content: 'look',
        tool_calls: [
          { id: 't1', type: 'function', function: { name: 'shot', arguments: '{"n":1}' } },
        ],
      },
      { role: 'tool', tool_call_id: 't1', content: 'done' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'and?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,QQ' } },
        ],
      },
    ]);
    expect(notes).toEqual(['messages.tool_result.is_error', 'messages.tool_result.image']);
  });

  test('messages’ system text and documents are carried, cache marks named once', () => {
    const cache_control = { type: 'ephemeral' };
    const { body, notes } = translate({
      system: [{ type: 'text', text: 'a', cache_control }],
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              title: 'T',
              source: { type: 'text', media_type: 'text/plain', data: 'words' },
              cache_control,
            },
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: 'AA' },
            },
            {
              type: 'search_result',
              title: 'S',
              source: 'x',
              content: [{ type: 'text', text: 'y' }],
            },
            { type: 'image', source: { type: 'file', file_id: 'f' } },
          ],
        },
      ],
    });
    expect(body.messages).toEqual([
      { role: 'system', content: 'a' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'T\n\nwords' },
          {
            type: 'file',
            file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,AA' },
          },
          { type: 'text', text: 'S\nx\ny' },
        ],
      },
    ]);
    expect(notes).toEqual(['cache_control', 'messages.image file']);
  });

  test('messages’ fields that are not carried over are named, wherever they stand', () => {
    const { notes } = translate({
      system: [{ type: 'text', text: 'a', citations: [{ type: 'char_location' }] }],
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'text', data: 'x' },
              context: 'c',
              citations: { enabled: true },
            },
            { type: 'text', text: 'b', citations: null },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 't', name: 'f', input: {}, caller: { type: 'x' } }],
        },
      ],
      tools: [{ name: 'f', input_schema: {}, input_examples: [{}], defer_loading: false }],
      metadata: { user_id: 'u', more: 1 },
      output_config: { effort: 'low', other: true },
    });
    expect([...notes].sort()).toEqual([
      'messages.document.citations',
      'messages.document.context',
      'messages.text.citations',
      'messages.tool_use.caller',
      'metadata.more',
      'output_config.other',
      'thinking',
      'tools.input_examples',
    ]);
  });

  test('messages’ schemas are strict where OpenAI would take them so, else that is named', () => {
    const asked = (schema: object) =>
      translate({
        output_config: { format: { type: 'json_schema', schema } },
        tools: [{ name: 'f', input_schema: schema, strict: true }],
      });
    const shut = { type: 'object', properties: {}, additionalProperties: false };
    const taken = asked(shut);
    expect(taken.notes).toEqual([]);
    expect(taken.body.response_format).toMatchObject({ json_schema: { strict: true } });
    expect(taken.body.tools).toMatchObject([{ function: { strict: true } }]);
    const loose = asked({ ...shut, properties: { a: { type: 'string' } } });
    expect(loose.notes).toEqual(['tools.strict', 'output_config.format']);
    expect(JSON.stringify(loose.body)).not.toContain('"strict"');
  });

  test('messages’ user is a digest where the name is longer than OpenAI takes', () => {
    const named = (user_id: string) => translate({ metadata: { user_id } });
    expect(named('u'.repeat(64))).toMatchObject({ body: { user: 'u'.repeat(64) }, notes: [] });
    const { body, notes } = named('u'.repeat(65));
    expect(body.user).toMatch(/^[0-9a-f]{64}$/);
    expect(named('u'.repeat(65)).body.user).toBe(body.user);
    expect(notes).toEqual(['metadata.user_id']);
  });

  test('messages that end in an answer say that a chat may begin it anew', () => {
    const last = { role: 'assistant', content: '{"x":' };
    expect(translate({ messages: [HI, last] }).notes).toEqual(['messages.assistant']);
    expect(translate({ messages: [last, HI] }).notes).toEqual([]);
  });

  test('messages’ sampling does not reach models that refuse it, which is named', () => {
    const asked = { temperature: 0.2, top_p: 1, stop_sequences: ['a'] };
    const { body, notes } = translate(asked, { fixed: /^gpt-5/ });
    expect(Object.keys(body)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(temperature|top_p|stop)$/)]),
    );
    expect(notes).toEqual(['temperature', 'stop']);
    expect(translate(asked, { fixed: /^gpt-5/ }, 'gpt-4o')).toMatchObject({
      body: { temperature: 0.2, top_p: 1, stop: ['a'] },
      notes: [],
    });
  });

  test('messages’ fields of the wrong type are named, since nobody reads them', () => {
    const wrong = {
      system: 5,
      stop_sequences: 'x',
      tools: 'x',
      tool_choice: 'auto',
      thinking: 'x',
    };
    expect([...translate(wrong).notes].sort()).toEqual(Object.keys(wrong).sort());
    expect(translate({ system: [], stop_sequences: null, metadata: {} }).notes).toEqual([]);
  });

  test('messages’ thinking goes only to hosts that take it back', () => {
    const messages = [
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'redacted_thinking', data: 'd' },
          { type: 'tool_use', id: 't', name: 'f', input: {} },
        ],
      },
    ];
    const tool_calls = [{ id: 't', type: 'function', function: { name: 'f', arguments: '{}' } }];
    expect(translate({ messages }, { reasoning: 'reasoning' })).toMatchObject({
      body: { messages: [{ role: 'assistant', content: null, reasoning: 'hm', tool_calls }] },
      notes: ['messages.redacted_thinking'],
    });
    expect(translate({ messages }).notes).toContain('messages.thinking');
  });

  test.each([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { tool_choice: 'required', parallel_tool_calls: false },
    ],
    [{ type: 'none' }, { tool_choice: 'none' }],
    [{ type: 'tool', name: 'f' }, { tool_choice: { type: 'function', function: { name: 'f' } } }],
  ])('messages’ tool_choice %j is %j', (tool_choice, expected) => {
    const tools = [{ name: 'f', input_schema: { type: 'object' }, strict: true }];
    expect(translate({ tools, tool_choice }).body).toMatchObject({
      ...expected,
      tools: [
        {
          type: 'function',
          function: { name: 'f', parameters: { type: 'object' }, strict: true },
        },
      ],
    });
  });

  test('messages’ tools of Anthropic’s own are named, and no choice is left of them', () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
    const { body, notes } = translate({ tools, tool_choice: { type: 'any' } });
    expect(body).not.toHaveProperty('tools');
    expect(body).not.toHaveProperty('tool_choice');
    expect(notes).toEqual(['tools.web_search_20250305']);
  });

  test('messages’ effort goes to models that take one', () => {
    const thinking = { type: 'enabled', budget_tokens: 20_000 };
    const quirks = { effort: /^gpt-5/ };
    expect(translate({ thinking }, quirks).body.reasoning_effort).toBe('high');
    expect(translate({ thinking }, quirks, 'gpt-4o').notes).toEqual(['thinking']);
    expect(translate({ output_config: { effort: 'max' } }, quirks).body.reasoning_effort).toBe(
      'high',
    );
    expect(translate({ thinking: { type: 'disabled' } }, quirks).body).not.toHaveProperty(
      'reasoning_effort',
    );
  });

  test('messages’ stream asks for usage, where the host can say it', () => {
    expect(translate({ stream: true }).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(translate({ stream: true }, { stream_options: false }).body).not.toHaveProperty(
      'stream_options',
    );
  });

  test('messages’ other fields are carried by their names there, or named', () => {
    const schema = { type: 'object' };
    const { body, notes } = translate(
      {
        stop_sequences: ['1', '2', '3', '4', '5'],
        top_k: 5,
        metadata: { user_id: 'u' },
        service_tier: 'standard_only',
        output_config: { format: { type: 'json_schema', schema } },
        container: 'c',
      },
      { limit: 'max_tokens', lacks: ['service_tier'] },
    );
    expect(body).toMatchObject({
      max_tokens: 10,
      stop: ['1', '2', '3', '4'],
      user: 'u',
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    });
    expect(notes).toEqual(['stop_sequences', 'top_k', 'container', 'service_tier']);
    expect(translate({ top_k: 5 }, { knows: ['top_k'] }).body.top_k).toBe(5);
  });
});
