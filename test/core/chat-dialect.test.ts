import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { decodeChat, decodeChatChunk } from '../../src/core/chat-dialect.ts';
import { encodeOpenAi, openAiUpstream } from '../../src/core/openai-dialect.ts';
import { answerOf } from '../providers/provider-kit.ts';

const body = { model: 'agent', stream: true };
const call = {
  endpoint: 'chat.completions',
  body,
  raw: Buffer.from(JSON.stringify(body)),
  stream: true,
} as unknown as Call;

function encode(base_url: string) {
  const request = { call, model: 'm', patch: {}, adapter: null, include_usage: true };
  return encodeOpenAi(request, openAiUpstream({ base_url, headers: { 'x-own': '1' } }));
}

describe('chat dialect', () => {
  test.each([
    ['https://api.openai.com/v1', '/v1/chat/completions'],
    ['http://127.0.0.1:1/a/b/', '/a/b/chat/completions'],
    ['http://127.0.0.1:1', '/chat/completions'],
    ['', '/chat/completions'],
  ])('chat dialect at %j asks %s', (base_url, path) => {
    expect(encode(base_url).path).toBe(path);
  });

  test('chat dialect appends the request for usage to the client’s bytes', () => {
    expect(Buffer.from(encode('http://h/v1').body).toString()).toBe(
      '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    );
  });

  test('chat dialect tells of choice 0 where several are mixed', () => {
    const chunk = (index: number, finish_reason: string) =>
      decodeChatChunk(
        Buffer.from(
          `data: ${JSON.stringify({ choices: [{ index, delta: {}, finish_reason }] })}\n\n`,
        ),
      ).facts.finish;
    expect(chunk(0, 'stop')).toBe('stop');
    expect(chunk(1, 'length')).toBeUndefined();
  });

  test.each(['error', 'network_error', 'insufficient_system_resource'])(
    'chat dialect takes an answer that finishes for %s for a failure, with what it cost',
    (finish_reason) => {
      const error = { code: 429, message: 'Provider returned error' };
      const usage = { prompt_tokens: 3, completion_tokens: 1 };
      const answer = (choice: object) => {
        const message = { content: 'half an ans' };
        return { choices: [{ index: 0, message, finish_reason, ...choice }], usage };
      };
      expect(decodeChat(answerOf(answer({})))).toMatchObject({
        ok: false,
        error: { class: 'unavailable', retryable: true },
        tokens: { in: 3, out: 1 },
      });
      expect(decodeChat(answerOf(answer({ error })))).toMatchObject({
        ok: false,
        error: { class: 'rate_limit', message: 'Provider returned error' },
      });
      const chunk = { choices: [{ index: 0, delta: { content: '' }, finish_reason }], usage };
      const decoded = decodeChatChunk(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`));
      expect(decoded.error).toMatchObject({ class: 'unavailable', retryable: true });
      expect(decoded.facts).toEqual({ tokens: { in: 3, cached: 0, out: 1, estimated: false } });
    },
  );

  test('chat dialect counts no tokens from a usage that has none, and none below zero', () => {
    const tokens = (usage: unknown) => {
      const text = JSON.stringify({ choices: [], usage });
      const decoded = decodeChat({
        endpoint: 'chat.completions',
        model: 'm',
        created_s: 0,
        call_id: 'call_1',
        status: 200,
        headers: {},
        body: Buffer.from(text),
        adapter: null,
      });
      return decoded.ok ? decoded.facts.tokens : 'failed';
    };
    expect(tokens({})).toBeNull();
    expect(tokens(null)).toBeNull();
    expect(tokens({ prompt_tokens: -1, completion_tokens: 'many' })).toEqual({
      in: 0,
      cached: 0,
      out: 0,
      estimated: false,
    });
  });
});
