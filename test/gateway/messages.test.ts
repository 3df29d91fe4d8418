import { connect } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { message, refusal, startAnthropicUpstream } from '../kit/anthropic-upstream.ts';
import { htmlError, reset, status, type Upstream } from '../kit/upstream.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { hello, type MessagesWorld, startMessages } from './messages-kit.ts';
import { anthropicAt, makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
let claude: Anthropic;
let post: MessagesWorld['post'];

beforeAll(async () => {
  upstream = await startAnthropicUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (more: Parameters<typeof startMessages>[1] = {}) => {
  ({ gateway, claude, post } = await startMessages(upstream, more));
};

describe('a message', () => {
  test('messages answers the unmodified client, and knows its usage', async () => {
    await start();
    upstream.script(message('good morning'));
    const made = await claude.messages.create(hello());
    expect(made.content).toEqual([{ type: 'text', text: 'good morning' }]);
    expect(made._request_id).toMatch(/^call_/);
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'ok', served: 'main', completion_id: made.id });
    expect(event.tokens).toMatchObject({ estimated: false, out: 2 });
  });

  test('messages streams to the unmodified client, event for event', async () => {
    await start();
    upstream.script(message('one two three'));
    const stream = claude.messages.stream(hello());
    const types: string[] = [];
    stream.on('streamEvent', ({ type }) => types.push(type));
    const made = await stream.finalMessage();
    expect(made.content).toMatchObject([{ type: 'text', text: 'one two three' }]);
    expect(made.stop_reason).toBe('end_turn');
    expect(types[0]).toBe('message_start');
    expect(types.at(-1)).toBe('message_stop');
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'ok', tokens: { estimated: false, out: 3 } });
    expect(event.ttft_ms).toBeGreaterThan(0);
  });

  test('messages passes the bytes on as they came, but for the model', async () => {
    await start();
    upstream.script(message('x'));
    const body =
      '{"model":"default", "max_tokens":5,"big":12345678901234567890,"top_k":null,' +
      '"messages":[{"role":"user","content":"h\\u0069"}],"thinking":{"type":"enabled"} }';
    await post(body);
    const sent = upstream.requests.at(-1)?.raw.toString();
    expect(sent).toBe(body.replace('"default"', '"model-main"'));
    await post(body.replace('{', '{"stream":true,'));
    expect(upstream.requests.at(-1)?.raw.toString()).not.toContain('stream_options');
  });

  test('messages relays the version and the betas of its client, and nothing else', async () => {
    await start();
    upstream.script(message('x'));
    await post(hello(), {
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'context-1m, files-api',
      'x-api-key': 'client',
      authorization: 'Bearer client',
      cookie: 'a=b',
      'x-user-id': 'u',
      'x-stainless-retry-count': '0',
    });
    const sent = upstream.requests.at(-1)?.headers ?? {};
    expect(sent['anthropic-version']).toBe('2026-10-21');
    expect(sent['anthropic-beta']).toBe('context-1m, files-api');
    const keys = Object.keys(sent).filter((name) => /^(x-|cookie|authorization)/.test(name));
    expect(keys).toEqual(['x-api-key']);
    expect(sent['x-api-key']).toBe('sk-ant-upstream');
  });

  test('messages tells the upstream’s limits and keeps its own request id', async () => {
    await start();
    const headers = {
      'request-id': 'req_theirs',
      'anthropic-ratelimit-tokens-remaining': '9',
    };
    for (const stream of [false, true]) {
      upstream.script(message('x', { headers }));
      const response = await post({ ...hello(), stream }, { 'x-request-id': 'mine' });
      await response.text();
      expect(response.headers.get('request-id')).toBe('mine');
      expect(response.headers.get('x-request-id')).toBe('mine');
      expect(response.headers.get('anthropic-ratelimit-tokens-remaining')).toBe('9');
    }
  });

  test('messages counts tokens', async () => {
    await start();
    upstream.script(message('x'));
    const { model, messages } = hello('one two');
    const counted = await claude.messages.countTokens({ model, messages });
    expect(counted.input_tokens).toBeGreaterThan(0);
    expect(upstream.requests.at(-1)?.path).toBe('/v1/messages/count_tokens');
  });

  test('messages knows users and conversations', async () => {
    await start();
    upstream.script(message('x'));
    const marked = { type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } };
    const first = { role: 'user', content: [marked] };
    const system = [{ type: 'text', text: 'Be kind.' }];
    await post({ ...hello(), system, messages: [first] });
    const turns = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'x' },
    ];
    await post({ ...hello(), system, messages: [...turns, { role: 'user', content: 'on' }] });
    await post({ ...hello(), metadata: { user_id: 'anna' } });
    const [one, two, three] = [
      await gateway.event(1),
      await gateway.event(2),
      await gateway.event(3),
    ];
    expect(one.unit).toMatch(/^c:/);
    expect(two.unit).toBe(one.unit);
    expect(three.unit).toMatch(/^u:/);
  });

  test('messages tells what a translation dropped', async () => {
    const provider = anthropicAt(upstream.url);
    const noted: typeof provider = {
      ...provider,
      encode: (request) => ({
        ...provider.encode(request),
        notes: [{ subject: 'logprobs', reason: 'has no counterpart' }],
      }),
    };
    await start({ targets: { main: { provider: noted } } });
    upstream.script(message('x'));
    const response = await post(hello());
    expect(response.headers.get('x-hive-notes')).toBe('logprobs: has no counterpart');
  });
});

describe('an error of a message', () => {
  test.each<[string, unknown, number, string]>([
    ['no JSON', '{"model":', 400, 'invalid_request_error'],
    ['nothing', '', 400, 'invalid_request_error'],
    ['no model', { messages: [], max_tokens: 1 }, 400, 'invalid_request_error'],
    ['an unknown model', { ...hello(), model: 'claude-99' }, 404, 'not_found_error'],
    ['a large body', hello('x'.repeat(5000)), 413, 'request_too_large'],
  ])('messages answers %s in Anthropic’s words', async (_what, body, code, type) => {
    await start({ body_bytes_max: 1000 });
    const response = await post(body);
    expect(response.status).toBe(code);
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type, message: expect.any(String) },
      request_id: response.headers.get('request-id'),
    });
  });

  test('messages answers routes that do not exist in Anthropic’s words', async () => {
    await start();
    const get = await fetch(`${gateway.url}/v1/messages`);
    expect(get.status).toBe(405);
    expect(await get.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    for (const path of ['/v1/messages/batches', '/v1/messages/x/y']) {
      const unknown = await post({}, {}, path);
      expect(unknown.status).toBe(404);
      expect(await unknown.json()).toMatchObject({
        type: 'error',
        error: { type: 'not_found_error', message: `There is no POST ${path}.` },
      });
    }
  });

  test('messages says in Anthropic’s words that a body came too late', async () => {
    const targets = { main: { provider: anthropicAt(upstream.url) } };
    const limits = { headers_ms: 100, body_ms: 100 };
    gateway = await startGateway(makeSnapshot({ targets }), { limits });
    const socket = connect(gateway.port, '127.0.0.1');
    const head = 'POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{';
    socket.setEncoding('utf8').write(head);
    let answered = '';
    for await (const part of socket) answered += part;
    expect(answered).toMatch(/^HTTP\/1.1 408 /);
    expect(JSON.parse(answered.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      type: 'error',
      error: { type: 'timeout_error' },
      request_id: expect.stringMatching(/^call_/),
    });
  });

  test.each([
    [refusal(400, 'invalid_request_error'), 400, 'invalid_request_error'],
    [refusal(429, 'rate_limit_error', { 'retry-after': '7' }), 429, 'rate_limit_error'],
    [htmlError(502), 502, 'api_error'],
    [status(200, ''), 502, 'api_error'],
    [status(200, '{"id":'), 502, 'api_error'],
    [reset('before-headers'), 502, 'api_error'],
    [reset('after-headers'), 502, 'api_error'],
  ])(
    'messages makes an error of Anthropic’s of upstream failure %#',
    async (script, code, type) => {
      await start();
      upstream.script(script);
      const failed = await claude.messages.create(hello()).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(Anthropic.APIError);
      const {
        status: told,
        error,
        requestID,
        headers,
      } = failed as InstanceType<typeof Anthropic.APIError>;
      expect([told, error]).toMatchObject([code, { type: 'error', error: { type } }]);
      expect(requestID).toMatch(/^call_/);
      expect(headers?.get('retry-after') ?? null).toBe(code === 429 ? '7' : null);
    },
  );

  test('messages says that the provider is overloaded as Anthropic does', async () => {
    await start();
    upstream.script(refusal(529, 'overloaded_error'));
    const failed = await claude.messages.create(hello()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ error: { error: { type: 'overloaded_error' } } });
    expect((failed as { status: number }).status).toBe(529);
  });

  test('messages hides what a provider says of the gateway’s own key', async () => {
    await start();
    upstream.script(refusal(401, 'authentication_error'));
    const response = await post(hello());
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain('scripted auth');
  });
});
