import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import type { Json, JsonObject } from '../../src/core/canonical.ts';
import { instantiate } from '../../src/core/definition.ts';
import type { ProviderRequest, UpstreamAnswer } from '../../src/core/provider.ts';
import { definition } from '../../src/providers/openai.ts';
import { make, requestFor, sent } from './provider-kit.ts';

const host = { name: 'openai', engineUrl: () => '' };

function provider(options: Record<string, unknown> = {}) {
  return instantiate(definition, options, host);
}

function request(raw: string, more: Partial<ProviderRequest> = {}): ProviderRequest {
  const body = JSON.parse(raw) as JsonObject;
  const call = {
    endpoint: 'chat.completions',
    body,
    raw: Buffer.from(raw),
    stream: body.stream === true,
  } as unknown as Call;
  return { call, model: 'm', patch: {}, adapter: null, include_usage: false, ...more };
}

function encoded(raw: string, more: Partial<ProviderRequest> = {}): string {
  return Buffer.from(provider().encode(request(raw, more)).body).toString();
}

const START = {
  endpoint: 'chat.completions',
  adapter: null,
  model: 'm',
  created_s: 0,
  call_id: 'call_1',
  include_usage: false,
} as const;

function answerOf(body: Uint8Array, status = 200): UpstreamAnswer {
  return { ...START, status, headers: {}, body };
}

function answer(body: string, status = 200): UpstreamAnswer {
  return answerOf(Buffer.from(body), status);
}

describe('openai encodes', () => {
  test('openai sends to the base URL’s own path with its key and headers', () => {
    const made = provider({
      api_key: 'k',
      base_url: 'http://127.0.0.1:9/api/v1/',
      headers: { 'X-Title': 'hive' },
    });
    expect(made.base_url).toBe('http://127.0.0.1:9/api/v1');
    const sent = made.encode(request('{"model":"agent","stream":true,"messages":[]}'));
    expect(sent.method).toBe('POST');
    expect(sent.path).toBe('/api/v1/chat/completions');
    expect(sent.headers).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'accept-encoding': 'identity',
      authorization: 'Bearer k',
      'x-title': 'hive',
    });
  });

  test('openai sends no authorization without a key', () => {
    const sent = provider().encode(request('{"model":"a"}'));
    expect(sent.path).toBe('/v1/chat/completions');
    expect(sent.headers).not.toHaveProperty('authorization');
  });

  test('openai changes the model and leaves every other byte as the client wrote it', () => {
    const raw = '{ "seed":9223372036854775807, "model":"agent", "x_new":[1.0,null] }';
    expect(encoded(raw)).toBe(raw.replace('"agent"', '"m"'));
  });

  test('openai lets no patch change the target’s model', () => {
    expect(JSON.parse(encoded('{"model":"a"}', { patch: { model: 'z', n: 2 } }))).toEqual({
      model: 'm',
      n: 2,
    });
  });

  test('openai asks for usage beside the client’s own stream options', () => {
    const raw = '{"model":"a","stream":true,"stream_options":{"include_obfuscation":false}}';
    const options = (more: Partial<ProviderRequest>) =>
      (JSON.parse(encoded(raw, more)) as { stream_options: Json }).stream_options;
    expect(options({ include_usage: true })).toEqual({
      include_obfuscation: false,
      include_usage: true,
    });
    expect(options({})).toEqual({ include_obfuscation: false });
    expect(options({ include_usage: true, patch: { stream_options: { a: 1 } } })).toEqual({
      a: 1,
      include_usage: true,
    });
  });

  test.each([
    { base_url: 'ftp://x/v1' },
    { base_url: 'http://u:p@x/v1' },
    { base_url: 'http://x/v1?a=1' },
    { base_url: 'http://x//v1' },
    { base_url: 'http://x/\\v1' },
    { headers: { host: 'x' } },
    { headers: { 'a b': 'x' } },
    { headers: { a: 'x\r\ny: z' } },
    { apikey: 'typo' },
  ])('openai refuses the options %j', (options) => {
    expect(() => provider(options)).toThrow();
  });
});

describe('openai decodes', () => {
  test('openai reads what a whole answer says of itself and keeps its bytes', () => {
    const text = JSON.stringify({
      id: 'chatcmpl-1',
      model: 'gpt-x',
      choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 7,
        completion_tokens: 3,
        prompt_tokens_details: { cached_tokens: 4 },
      },
    });
    const sent = answer(text);
    const decoded = provider().decode(sent);
    expect(decoded).toEqual({
      ok: true,
      body: sent.body,
      facts: {
        completion_id: 'chatcmpl-1',
        model: 'gpt-x',
        finish: 'stop',
        tokens: { in: 7, cached: 4, out: 3, estimated: false },
        adapter: null,
        said: { text: 'hi' },
      },
    });
  });

  test.each(['', '<html></html>', '{"id":"x","choi', 'null', '{"id":"x"}'])(
    'openai takes a 200 of %j for a failure that may be tried elsewhere',
    (body) => {
      const decoded = provider().decode(answer(body));
      expect(decoded).toMatchObject({
        ok: false,
        error: { code: 'upstream_error', status: 502, retryable: true, counts: true },
      });
    },
  );

  test('openai takes an error object in a 200 for an error', () => {
    const decoded = provider().decode(answer('{"error":{"message":"busy","code":429}}'));
    expect(decoded).toMatchObject({ ok: false, error: { code: 'rate_limited', status: 429 } });
  });
});

describe('openai decodes chunks', () => {
  const decode = (text: string) => provider().openStream(START).decode(Buffer.from(text));
  const data = (value: unknown, end = '\n') => `data: ${JSON.stringify(value)}${end}${end}`;
  const delta = (value: unknown, more = {}) =>
    data({ id: 'c', model: 'g', choices: [{ index: 0, delta: value, ...more }] });

  test('openai finds the first content, which a role or an empty string is not', () => {
    expect(decode(delta({ role: 'assistant', content: '' })).content).toBe(false);
    expect(decode(delta({})).content).toBe(false);
    expect(decode(delta({ tool_calls: [] })).content).toBe(false);
    for (const said of [
      { content: 'a' },
      { tool_calls: [{ index: 0 }] },
      { refusal: 'no' },
      { reasoning_content: 'hm' },
      { reasoning: 'hm' },
    ]) {
      expect(decode(delta(said)).content).toBe(true);
    }
  });

  test('openai tells facts of a chunk and hands its bytes on', () => {
    const event = Buffer.from(delta({}, { finish_reason: 'length' }));
    const decoded = provider().openStream(START).decode(event);
    expect(decoded.event).toBe(event);
    expect(decoded.facts).toEqual({ completion_id: 'c', model: 'g', finish: 'length' });
  });

  test('openai knows the usage chunk from chunks that only mention usage', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    const last = decode(data({ id: 'c', choices: [], usage }));
    expect(last).toMatchObject({
      usage_only: true,
      facts: { tokens: { in: 1, cached: 0, out: 2, estimated: false } },
    });
    expect(decode(data({ choices: [], usage: null })).usage_only).toBe(false);
    expect(decode(data({ choices: [{ index: 0, delta: {} }], usage })).usage_only).toBe(false);
    expect(decode(data({ choices: [], prompt_filter_results: [] })).usage_only).toBe(false);
    const moderation = { input: { type: 'error', code: 'c', message: 'm' } };
    expect(decode(data({ choices: [], usage, moderation })).usage_only).toBe(false);
  });

  test.each(['data: [DONE]\n\n', 'data:[DONE]\r\n\r\n', 'event: x\ndata: [DONE]\n\n'])(
    'openai sees the end in %j',
    (text) => {
      const decoded = decode(text);
      expect(decoded.done).toBe(true);
      expect(Buffer.from(decoded.event ?? []).toString()).toBe(text);
    },
  );

  test('openai reads events of CRLF or CR lines, of several data lines, of other fields', () => {
    for (const end of ['\r\n', '\r']) {
      expect(decode(data({ choices: [{ delta: { content: 'a' } }] }, end)).content).toBe(true);
    }
    const split =
      'event: message\n: note\ndata: {"choices":[{"delta":\ndata: {"content":"a"}}]}\n\n';
    expect(decode(split)).toMatchObject({ content: true, malformed: false });
  });

  test('openai hands comments on and drops events of empty data', () => {
    expect(decode(': ping\n\n')).toMatchObject({ malformed: false, content: false });
    expect(decode(': ping\n\n').event).not.toBeNull();
    expect(decode('data:\n\n').event).toBeNull();
  });

  test('openai finds errors inside a stream, in any shape', () => {
    expect(decode(data({ error: { message: 'm', type: 'server_error' } })).error).toMatchObject({
      code: 'upstream_error',
      message: 'm',
    });
    expect(decode('event: error\ndata: {"error":"cut"}\n\n').error?.message).toBe('cut');
    expect(decode(data({ error: null, choices: [] })).error).toBeNull();
  });

  test.each(['{"id":"c","choi', 'plain', 'null', '[]', '{"a":1} {"b":2}'])(
    'openai calls %j malformed',
    (text) => {
      expect(decode(`data: ${text}\n\n`)).toMatchObject({ malformed: true, done: false });
    },
  );

  test('openai never throws, whatever bytes arrive', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((json) => Buffer.from(`data: ${json}\n\n`)),
      fc.json().map((json) => Buffer.from(`data: {"choices":${json},"usage":${json}}\n\n`)),
      fc.json().map((json) => Buffer.from(`data: {"choices":[${json}],"error":${json}}\n\n`)),
      fc.json().map((json) => Buffer.from(`data: {"choices":[{"delta":${json}}]}\n\n`)),
    );
    fc.assert(
      fc.property(bytes, (event) => {
        const decoded = provider().openStream(START).decode(event);
        expect(decoded.event === null || Buffer.from(decoded.event).equals(event)).toBe(true);
        provider().decode(answerOf(event.subarray(6)));
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['o3', true],
  ['gpt-5-mini', true],
  ['gpt-5-2025-08-07', true],
  ['gpt-5-chat-latest', false],
  ['gpt-5.1', false],
  ['gpt-4o', false],
])('openai is asked for %s of Anthropic’s clients without sampling: %s', (model, refused) => {
  const body = { max_tokens: 1, messages: [], temperature: 0.2 };
  const { json, notes } = sent(make('openai'), requestFor('messages', body, { model }));
  expect(json.temperature).toBe(refused ? undefined : 0.2);
  expect(notes.includes('temperature')).toBe(refused);
});
