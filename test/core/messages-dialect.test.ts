import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/canonical.ts';
import {
  decodeMessages,
  encodeMessages,
  openMessagesStream,
} from '../../src/core/messages-dialect.ts';
import { encodeOpenAi, openAiUpstream } from '../../src/core/openai-dialect.ts';
import {
  answerOf,
  chunksOf,
  fixture,
  requestFor,
  START,
  textOf,
} from '../providers/provider-kit.ts';

const anthropic = { decode: decodeMessages, openStream: openMessagesStream };
const upstream = { base_url: 'https://h/base/v1', headers: { 'x-own': '1' } };

describe('messages dialect', () => {
  test('messages dialect sends below the base URL’s own path, the policy’s headers last', () => {
    const relayed = { 'anthropic-version': '2026-10-21' };
    const own = { ...upstream, headers: { 'anthropic-version': '2099-01-01' } };
    const sent = encodeMessages(requestFor('messages', { stream: true }, { relayed }), own);
    expect(sent.path).toBe('/base/v1/messages');
    expect(sent.headers).toMatchObject({
      accept: 'text/event-stream',
      'anthropic-version': '2099-01-01',
    });
    expect(sent).not.toHaveProperty('notes');
  });

  test('messages dialect sets what plugins want in bytes that it else leaves alone', () => {
    const raw = '{"model":"a", "system":"s","messages":[ ],"n":9223372036854775807}';
    const request = requestFor('messages', raw, { patch: { system: 't' } });
    expect(Buffer.from(encodeMessages(request, upstream).body).toString()).toBe(
      raw.replace('"a"', '"m"').replace('"s"', '"t"'),
    );
  });

  test('messages dialect leaves the policy’s sampling out where it would be refused', () => {
    const patch = { temperature: 0.2, top_p: 0.5, system: 's' };
    const fields = (more: object, version = '2023-06-01', model = 'claude-3-7-sonnet-20250219') => {
      const given = { relayed: { 'anthropic-version': version }, patch, model };
      const request = requestFor('messages', { model: 'a', ...more }, given);
      const { body, notes = [] } = encodeMessages(request, upstream);
      const { model: _model, ...rest } = JSON.parse(Buffer.from(body).toString()) as JsonObject;
      return [rest, notes.map(({ subject }) => subject)];
    };
    const system = 's';
    expect(fields({})).toEqual([patch, []]);
    expect(fields({ top_p: 1 })).toEqual([{ ...patch, top_p: 0.5 }, []]);
    const both = ['temperature', 'top_p'];
    expect(fields({}, '2026-10-21')).toEqual([{ system }, both]);
    expect(fields({ top_p: 1 }, '2026-10-21')).toEqual([{ top_p: 0.5, system }, ['temperature']]);
    expect(fields({}, '2023-06-01', 'claude-opus-5')).toEqual([{ system }, both]);
    const thinking = { type: 'enabled', budget_tokens: 2000 };
    expect(fields({ thinking })).toEqual([{ thinking, system }, both]);
    const off = { thinking: { type: 'disabled' } };
    expect(fields(off)).toEqual([{ ...off, ...patch }, []]);
    const one = 'claude-sonnet-4-5';
    expect(fields({}, '2023-06-01', one)).toEqual([{ temperature: 0.2, system }, ['top_p']]);
    expect(fields({ top_p: 1 }, '2023-06-01', one)).toEqual([
      { top_p: 0.5, system },
      ['temperature'],
    ]);
  });

  test('messages dialect keeps long integers where it takes unsigned thinking out', () => {
    const raw =
      '{"messages":[{"role":"assistant","content":[' +
      '{"type":"thinking","thinking":"a","signature":""},' +
      '{"type":"tool_use","id":"t","name":"f","input":{"n":9223372036854775807}}]}]}';
    const { body, notes } = encodeMessages(requestFor('messages', raw), upstream);
    expect(Buffer.from(body).toString()).toContain('"input":{"n":9223372036854775807}');
    expect(Buffer.from(body).toString()).not.toContain('thinking');
    expect(notes).toHaveLength(1);
  });

  test('messages dialect keeps long integers in what a patch leaves, translated too', () => {
    const raw =
      '{"max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[' +
      '{"type":"thinking","thinking":"a","signature":""},' +
      '{"type":"tool_use","id":"t","name":"f","input":{"n":9223372036854775807}}]},' +
      '{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}]}';
    const request = requestFor('messages', raw);
    const turns = request.call.body.messages as readonly JsonObject[];
    const messages = [{ role: 'user', content: 'shown' }, ...turns];
    const patched = { ...request, patch: { messages } };
    const native = Buffer.from(encodeMessages(patched, upstream).body).toString();
    expect(native).toContain('"input":{"n":9223372036854775807}');
    const openai = openAiUpstream({ base_url: 'https://h/v1', headers: {} });
    const translated = Buffer.from(encodeOpenAi(patched, openai).body).toString();
    expect(translated).toContain('{\\"n\\":9223372036854775807}');
    expect(translated).toContain('"shown"');
  });

  test('messages dialect leaves no turn empty where it takes unsigned thinking out', () => {
    const unsigned = { type: 'thinking', thinking: 'a', signature: '' };
    const user = { role: 'user', content: 'hi' };
    const body = { messages: [user, { role: 'assistant', content: [unsigned] }, user] };
    const { body: raw } = encodeMessages(requestFor('messages', body), upstream);
    expect(JSON.parse(Buffer.from(raw).toString())).toMatchObject({ messages: [user, user] });
  });

  test('messages dialect asks for no thinking where the turn that goes on has lost its own', () => {
    const unsigned = { type: 'thinking', thinking: 'a', signature: '' };
    const use = { type: 'tool_use', id: 't', name: 'f', input: {} };
    const result = { type: 'tool_result', tool_use_id: 't', content: 'r' };
    const ask = (thinking: object, first: object, model = 'claude-sonnet-4-5') => {
      const messages = [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: [first, unsigned, use] },
        { role: 'user', content: [result] },
      ];
      const given = requestFor('messages', { messages, thinking }, { model });
      const { body, notes = [] } = encodeMessages(given, upstream);
      const json = JSON.parse(Buffer.from(body).toString()) as JsonObject;
      return [json.thinking, notes.map(({ subject }) => subject)];
    };
    const budget = { type: 'enabled', budget_tokens: 2000 };
    expect(ask(budget, { type: 'text', text: 'b' })).toEqual([
      undefined,
      ['messages.thinking', 'thinking'],
    ]);
    const signed = { type: 'thinking', thinking: 'c', signature: 's' };
    expect(ask(budget, signed)).toEqual([budget, ['messages.thinking']]);
    const adaptive = { type: 'adaptive' };
    expect(ask(adaptive, { type: 'text', text: 'b' }, 'claude-opus-4-6')).toEqual([
      adaptive,
      ['messages.thinking'],
    ]);
  });

  test('messages dialect hands a count of tokens on', () => {
    const answer = answerOf({ input_tokens: 14 }, { endpoint: 'messages.count_tokens' });
    expect(decodeMessages(answer)).toMatchObject({ ok: true, body: answer.body });
  });

  test.each(['', '<html></html>', '{"id":"msg"}', 'null'])(
    'messages dialect takes a 200 of %j for a failure that may be tried elsewhere',
    (body) => {
      expect(decodeMessages(answerOf(body, { endpoint: 'messages' }))).toMatchObject({
        ok: false,
        error: { class: 'unavailable', code: 'upstream_error', retryable: true },
      });
    },
  );

  test('messages dialect finds an error in a 200', () => {
    const error = { type: 'rate_limit_error', message: 'slow down' };
    expect(decodeMessages(answerOf({ type: 'error', error }))).toMatchObject({
      error: { class: 'rate_limit', message: 'slow down' },
    });
  });

  test('messages dialect knows broken events, comments and empty ones', () => {
    const stream = openMessagesStream({ ...START, endpoint: 'messages' });
    const decode = (event: Buffer) => stream.decode(event);
    expect(decode(Buffer.from('event: x\ndata: {"type\n\n')).malformed).toBe(true);
    expect(decode(Buffer.from(': hi\n\n')).event).not.toBeNull();
    expect(decode(Buffer.from('data:\n\n')).event).toBeNull();
  });

  test('messages dialect counts what was read and written to the cache as input', () => {
    const chunks = chunksOf({ openStream: openMessagesStream }, fixture('anthropic-tools.sse'), {
      endpoint: 'messages',
    });
    expect(chunks.findLast(({ facts }) => facts.tokens)?.facts.tokens).toEqual({
      in: 499,
      cached: 20,
      written: 5,
      out: 89,
      estimated: false,
    });
    expect(chunks.filter(({ content }) => content).length).toBe(9);
  });

  test('messages dialect reads the same however its bytes are cut', () => {
    for (const name of ['anthropic-text.sse', 'anthropic-tools.sse']) {
      const stream = fixture(name);
      const whole = textOf(chunksOf(anthropic, stream));
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
          expect(textOf(chunksOf(anthropic, stream, {}, cuts))).toBe(whole);
        }),
        { numRuns: 60 },
      );
    }
  });

  test('messages dialect never throws, whatever arrives', () => {
    const event = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .record({
          type: fc.constantFrom(
            'message_start',
            'content_block_start',
            'content_block_delta',
            'content_block_stop',
            'message_delta',
            'message_stop',
            'error',
          ),
          message: fc.jsonValue(),
          delta: fc.oneof(
            fc.jsonValue(),
            fc.record({
              type: fc.constantFrom('text_delta', 'input_json_delta', 'thinking_delta'),
              text: fc.jsonValue(),
              partial_json: fc.jsonValue(),
            }),
          ),
          content_block: fc.oneof(
            fc.jsonValue(),
            fc.record({ type: fc.constantFrom('text', 'tool_use'), input: fc.jsonValue() }),
          ),
          usage: fc.jsonValue(),
          error: fc.jsonValue(),
        })
        .map((value) => Buffer.from(`data: ${JSON.stringify(value)}\n\n`)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), fc.json(), (events, body) => {
        for (const endpoint of ['chat.completions', 'messages'] as const) {
          const chunks = chunksOf(anthropic, Buffer.concat(events), { endpoint });
          for (const chunk of chunks) expect(chunk).toHaveProperty('done');
          anthropic.decode(answerOf(body, { endpoint }));
          anthropic.decode(answerOf(`{"content":[${body}],"usage":${body}}`, { endpoint }));
        }
      }),
      { numRuns: 300 },
    );
  });
});
