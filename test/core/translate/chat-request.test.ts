import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';

const HI = { role: 'user', content: 'hi' };

function translate(chat: object, model = 'claude-sonnet-4-5') {
  const { body, notes } = chatToMessages({ messages: [HI], ...chat } as JsonObject, model);
  return { body: body as Record<string, unknown>, notes: notes.map(({ subject }) => subject) };
}

const TOOLS = ['a', 'b'].map((name) => ({ type: 'function', function: { name } }));

describe('chat completion to messages', () => {
  test('chat completion gets a limit where it has none, and keeps its own', () => {
    expect(translate({}).body.max_tokens).toBe(4096);
    expect(translate({ max_tokens: 5 }).body.max_tokens).toBe(5);
    expect(translate({ max_tokens: 5, max_completion_tokens: 7 }).body.max_tokens).toBe(7);
  });

  test('chat completion that asks for a search is told that there is none', () => {
    expect(translate({ web_search_options: {} }).notes).toEqual(['web_search_options']);
    expect(translate({ web_search_options: null }).notes).toEqual([]);
  });

  test('chat completion’s fields that are not carried over are named, wherever they stand', () => {
    const fn = { name: 'f', examples: [1] };
    const { notes } = translate({
      messages: [
        { ...HI, x_user: 1, annotations: [], weight: null },
        { role: 'assistant', content: 'a', prefix: true, reasoning: 'hm' },
      ],
      tools: [{ type: 'function', function: fn, eager: true }],
      seed: 0,
      presence_penalty: 0,
    });
    expect([...notes].sort()).toEqual([
      'messages.prefix',
      'messages.reasoning_content',
      'messages.x_user',
      'seed',
      'tools.eager',
      'tools.function.examples',
    ]);
  });

  test('chat completion’s fields of the wrong type are named, since nobody reads them', () => {
    const wrong = { max_tokens: '5', temperature: 'hot', stop: 5, tools: 'x', thinking: 3 };
    const { body, notes } = translate(wrong);
    expect([...notes].sort()).toEqual(Object.keys(wrong).sort());
    expect(Object.keys(body).sort()).toEqual(['max_tokens', 'messages', 'model']);
    expect(translate({ max_tokens: null, stop: null, tools: [], metadata: {} }).notes).toEqual([]);
  });

  test('chat completion’s results of parallel tools are one turn, with what is said next', () => {
    const { body } = translate({
      messages: [
        { role: 'assistant', content: null, tool_calls: [call('1', '{"a":1}'), call('2', '')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'one' },
        { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'two' }] },
        HI,
        HI,
      ],
    });
    expect(body.messages).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 } },
          { type: 'tool_use', id: 'call_2', name: 'f', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: 'one' },
          { type: 'tool_result', tool_use_id: 'call_2', content: [{ type: 'text', text: 'two' }] },
          { type: 'text', text: 'hi' },
        ],
      },
      HI,
    ]);
  });

  test('chat completion’s call whose arguments are no object keeps them as text', () => {
    const { body } = translate({
      messages: [{ role: 'assistant', tool_calls: [call('1:x', '[1')] }],
    });
    expect(body.messages).toEqual([
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'call_1_x', name: 'f', input: { arguments: '[1' } }],
      },
    ]);
  });

  test('chat completion’s system text stands in front, wherever it was', () => {
    const cached = { type: 'text', text: 'b', cache_control: { type: 'ephemeral' } };
    const { body, notes } = translate({
      messages: [
        { role: 'system', content: 'a' },
        HI,
        { role: 'developer', content: [cached, { type: 'text', text: '' }] },
      ],
    });
    expect(body.system).toEqual([{ type: 'text', text: 'a' }, cached]);
    expect(notes).toEqual(['messages.system']);
  });

  test('chat completion’s images and documents become blocks, what cannot is named', () => {
    const file_data = 'data:application/pdf;base64,AAAA';
    const { body, notes } = translate({
      messages: [
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD', detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://x/a.png' } },
            { type: 'file', file: { filename: 'a.pdf', file_data } },
            { type: 'file', file: { file_id: 'file-1' } },
            { type: 'input_audio', input_audio: { data: 'A', format: 'wav' } },
          ],
        },
      ],
    });
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
          { type: 'image', source: { type: 'url', url: 'https://x/a.png' } },
          {
            type: 'document',
            source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
            title: 'a.pdf',
          },
        ],
      },
    ]);
    expect(notes).toEqual([
      'messages.name',
      'messages.image_url.detail',
      'messages.file',
      'messages.input_audio',
    ]);
  });

  test.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'b' } },
      { type: 'tool', name: 'b' },
    ],
  ])('chat completion’s tool_choice %j is %j', (tool_choice, expected) => {
    expect(translate({ tools: TOOLS, tool_choice }).body.tool_choice).toEqual(expected);
  });

  test('chat completion’s tool whose schema says no type goes out as an object’s', () => {
    const tools = [{ type: 'function', function: { name: 'a', parameters: {} } }];
    const sent = { name: 'a', input_schema: { type: 'object' } };
    expect(translate({ tools }).body.tools).toEqual([sent]);
  });

  test('chat completion that allows one call at a time says so, and only with tools', () => {
    const one = { tools: TOOLS, parallel_tool_calls: false };
    const disabled = { disable_parallel_tool_use: true };
    expect(translate(one).body.tool_choice).toEqual({ type: 'auto', ...disabled });
    expect(translate({ ...one, tool_choice: 'none' }).body.tool_choice).toEqual({ type: 'none' });
    expect(translate({ parallel_tool_calls: false, tool_choice: 'auto' }).body).not.toHaveProperty(
      'tool_choice',
    );
  });

  test('chat completion that allows some tools offers no others', () => {
    const allowed_tools = { mode: 'required', tools: [TOOLS[1]] };
    const { body } = translate({
      tools: TOOLS,
      tool_choice: { type: 'allowed_tools', allowed_tools },
    });
    expect(body.tools).toEqual([{ name: 'b', input_schema: { type: 'object', properties: {} } }]);
    expect(body.tool_choice).toEqual({ type: 'any' });
  });

  test('chat completion’s schema of an answer is kept, its looser form named', () => {
    const schema = { type: 'object' };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } };
    expect(translate({ response_format: format }).body.output_config).toEqual({
      format: { type: 'json_schema', schema },
    });
    const told = { ...format, json_schema: { ...format.json_schema, description: 'd' } };
    expect(translate({ response_format: told }).body.output_config).toEqual({
      format: { type: 'json_schema', schema: { description: 'd', ...schema } },
    });
    const loose = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(translate({ response_format: loose })).toMatchObject({
      body: { output_config: { format: { schema: { ...schema, additionalProperties: false } } } },
      notes: ['response_format'],
    });
    expect(translate({ response_format: { type: 'json_object' } }).notes).toEqual([
      'response_format',
    ]);
    expect(translate({ response_format: { type: 'text' } }).notes).toEqual([]);
  });

  test('chat completion’s effort is a budget for older models, and leaves room to answer', () => {
    const thinking = (chat: object) => translate(chat).body.thinking;
    expect(translate({ reasoning_effort: 'high' }).body).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 16_384 },
      max_tokens: 20_480,
    });
    expect(thinking({ reasoning_effort: 'high', max_tokens: 2000 })).toEqual({
      type: 'enabled',
      budget_tokens: 1999,
    });
    expect(translate({ reasoning_effort: 'low', max_tokens: 500 })).toMatchObject({
      notes: ['reasoning_effort'],
    });
    expect(thinking({ reasoning_effort: 'none' })).toBeUndefined();
    expect(thinking({ thinking: { type: 'adaptive' } })).toEqual({ type: 'adaptive' });
  });

  test.each([
    ['claude-opus-4-6', true],
    ['claude-sonnet-5', true],
    ['claude-opus-4-7-20260101', true],
    ['claude-sonnet-4-5-20250929', false],
    ['claude-sonnet-4-20250514', false],
    ['claude-3-7-sonnet-latest', false],
  ])('chat completion’s effort at %s is the model’s own to judge: %s', (model, adaptive) => {
    const { body } = translate({ reasoning_effort: 'minimal' }, model);
    if (adaptive) {
      expect(body).toMatchObject({
        thinking: { type: 'adaptive' },
        output_config: { effort: 'low' },
      });
    } else {
      expect(body.thinking).toMatchObject({ type: 'enabled' });
    }
  });

  test('chat completion with thinking goes without sampling and without a forced tool', () => {
    expect(translate({ reasoning_effort: 'low', temperature: 0.5 }).notes).toEqual(['temperature']);
    const forced = { reasoning_effort: 'low', tools: TOOLS, tool_choice: 'required' };
    expect(translate(forced)).toMatchObject({ notes: ['reasoning_effort'] });
  });

  test('chat completion’s sampling does not reach models that refuse it, which is named', () => {
    const chat = { temperature: 0.2, top_p: 0.9 };
    expect(translate(chat, 'claude-opus-4-7')).toMatchObject({ notes: ['temperature', 'top_p'] });
    expect(translate(chat, 'claude-opus-4-7').body).not.toHaveProperty('top_p');
    expect(translate({ temperature: 1 }, 'claude-opus-5').notes).toEqual([]);
    expect(translate(chat, 'claude-sonnet-4-20250514')).toMatchObject({ body: chat, notes: [] });
  });

  test('chat completion’s other fields are named, those that ask for nothing are not', () => {
    const { body, notes } = translate({
      temperature: 1.5,
      stop: ['a', ' '],
      seed: 7,
      logit_bias: {},
      n: 2,
      logprobs: false,
      store: null,
      modalities: ['text'],
      service_tier: 'flex',
      user: 'u',
      metadata: { user_id: 'v', team: 't' },
    });
    expect(body).toMatchObject({
      temperature: 1,
      stop_sequences: ['a'],
      metadata: { user_id: 'u' },
    });
    expect(notes.sort()).toEqual(['metadata', 'n', 'seed', 'service_tier', 'stop', 'temperature']);
    expect(translate({ n: 1, stop: 'x' })).toMatchObject({
      body: { stop_sequences: ['x'] },
      notes: [],
    });
  });

  test('chat completion’s reasoning without a signature is not taken back, and named', () => {
    const { body, notes } = translate({
      messages: [HI, { role: 'assistant', content: 'a', reasoning_content: 'hm' }],
    });
    expect(body.messages).toEqual([HI, { role: 'assistant', content: 'a' }]);
    expect(notes).toEqual(['messages.reasoning_content']);
  });
});

function call(id: string, text: string) {
  return { id: `call_${id}`, type: 'function', function: { name: 'f', arguments: text } };
}
