import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../gateway/gateway-kit.ts';
import { anthropicAt, makeSnapshot, openAiAt } from '../gateway/snapshot.ts';
import { actor } from '../kit/actor.ts';
import { askRaw, openRaw, requestBytes } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  htmlError,
  reset,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import {
  askChat,
  CHAT,
  chatBody,
  chunksOf,
  contentOf,
  expectOpenAiError,
  ONCE,
} from './contract-kit.ts';

let upstream: Upstream;
let canary: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [upstream, canary] = await Promise.all([startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([upstream.close(), canary.close()]));

const start = async (script: Behaviour) => {
  upstream.script(script);
  const targets = {
    main: { provider: openAiAt(upstream.url) },
    claude: { provider: anthropicAt(upstream.url) },
  };
  const agents = { default: { targets: ['main'] } };
  gateway = await startGateway(makeSnapshot({ targets, agents, resilience: ONCE }));
};
const askMessages = (body: string, headers: Readonly<Record<string, string>> = {}) =>
  askRaw(gateway.port, { path: '/v1/messages', headers, body });

describe('what gateways most often break', () => {
  test.each([
    ['before the first byte', false],
    ['before the first byte of a stream', true],
  ])('1 a client’s abort closes the upstream request: %s', async (_phase, streamed) => {
    await start(stall());
    const known = upstream.calls.length;
    const body = chatBody({ stream: streamed });
    const client = await openRaw(gateway.port, requestBytes({ path: CHAT, body }));
    await until(() => upstream.calls[known], { what: 'the call to reach the upstream' });
    client.socket.destroy();
    const aborted = () => upstream.calls[known]?.aborted;
    await until(aborted, { deadline_ms: 1000, what: 'the upstream to hear of it' });
  });

  test.each([
    ['a cut', stream(['one '], { end: 'cut' })],
    ['a reset', stream(['one '], { end: 'reset' })],
    ['an end that is silent', stream(['one '], { end: 'silent' })],
    ['an error inside', stream(['one ', { raw: 'data: {"error":{"message":"no"}}\n\n' }])],
  ])('2 is never a complete answer: %s', async (_what, script) => {
    await start(script);
    const got = await askChat(gateway.port, chatBody({ stream: true }));
    expect(got.body.toString()).not.toContain('[DONE]');
    expect(chunksOf(got.body).at(-1)?.error).toBeDefined();
    expect(await gateway.event()).toMatchObject({ outcome: 'error' });
  });

  test('2 a response that ends in [DONE] before its completion is none', async () => {
    const created = '{"type":"response.created","response":{"id":"r","status":"in_progress"}}';
    const word = '{"type":"response.output_text.delta","delta":"one"}';
    const raw = `data: ${created}\n\ndata: ${word}\n\ndata: [DONE]\n\n`;
    await start(stream([{ raw }], { end: 'silent' }));
    const body = JSON.stringify({ model: 'main', input: 'hi', stream: true });
    const text = (await askRaw(gateway.port, { path: '/v1/responses', body })).body.toString();
    expect(text).toContain('event: error');
    expect(text).not.toContain('[DONE]');
  });

  test('2 a whole answer that is cut off is an error too', async () => {
    await start(reset('after-headers'));
    const got = await askChat(gateway.port);
    expect(got.status).toBe(502);
    expectOpenAiError(got);
  });

  test.each([
    ['HTML', htmlError()],
    ['an empty body', status(503, '')],
    ['truncated JSON', status(500, '{"error":')],
    ['a reset', reset()],
  ])('3 errors have the caller’s shape where the upstream sends %s', async (_what, script) => {
    await start(script);
    expectOpenAiError(await askChat(gateway.port));
    const said = (await askMessages(chatBody({ max_tokens: 5 }))).json();
    expect(said).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
  });

  test('4 errors of /v1/messages are Anthropic’s, malformed JSON included', async () => {
    await start(actor());
    const said = (await askMessages('{')).json();
    expect(said).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });

  test.each([301, 302, 303, 307, 308])(
    '5 never follows an upstream’s redirect: %i',
    async (code) => {
      const location = `http://127.0.0.1:${canary.port}/v1/chat/completions`;
      await start(status(code, '', { location }));
      for (const model of ['main', 'claude']) {
        const got = await askChat(gateway.port, chatBody({ model }));
        expect(got.status).toBe(502);
        expect(got.header('location')).toBeNull();
      }
      expect(canary.requests).toEqual([]);
    },
  );

  test('6 unknown fields, explicit nulls and 64-bit integers pass through', async () => {
    await start(answer('ok'));
    const known = upstream.calls.length;
    const body = `{"model":"default","messages":[{"role":"user","content":"x","y":null}],
      "seed":9007199254740993,"a":{"b":null},"temperature":null,"big":-9223372036854775808}`;
    await askChat(gateway.port, body);
    const sent = upstream.calls[known]?.raw.toString();
    expect(sent).toBe(body.replace('"default"', '"model-main"'));
  });

  test.each([
    ['bad JSON', '{"model"'],
    ['an empty body', ''],
    ['a missing model', '{"messages":[{"role":"user","content":"x"}]}'],
    ['a model of null', '{"model":null,"messages":[]}'],
  ])('7 is a 400 and no default model: %s', async (_what, body) => {
    await start(answer('ok'));
    const known = upstream.requests.length;
    expect((await askChat(gateway.port, body)).status).toBe(400);
    expect((await askMessages(body)).status).toBe(400);
    expect(upstream.requests.length).toBe(known);
  });

  test('8 SSE is read by the specification in a translated stream too', async () => {
    const plain = async ({ response, request }: Parameters<Behaviour>[0]) => {
      const parts: Buffer[] = [];
      const write = (text: string) => parts.push(Buffer.from(text));
      const caught = { writeHead() {}, write, end() {} } as never;
      await actor()({ response: caught, request, number: 1 } as never);
      const text = `: ping\r\n\r\n${Buffer.concat(parts).toString()}`.replaceAll(/\r?\n/g, '\r\n');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of Buffer.from(`event: unheard\r\ndata: {"type":"new"}\r\n\r\n${text}`)) {
        response.write(Buffer.of(byte));
      }
      response.end();
    };
    await start(plain);
    const got = await askChat(gateway.port, chatBody({ model: 'claude', stream: true }));
    const texts = chunksOf(got.body).map(contentOf);
    expect(texts.join('')).toBe('one two three');
    expect(got.body.toString().endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('10 headers of an upstream are copied, never changed or shared between calls', async () => {
    const limit = (value: string) => ({ 'x-ratelimit-remaining-tokens': value });
    let number = 0;
    await start((exchange) => {
      number += 1;
      return stream(['one'], { headers: limit(String(number)) })(exchange);
    });
    const all = await Promise.all(
      Array.from({ length: 5 }, () => askChat(gateway.port, chatBody({ stream: true }))),
    );
    const seen = all.map((got) => got.header('x-ratelimit-remaining-tokens') ?? '').sort();
    expect(seen).toEqual(['1', '2', '3', '4', '5']);
    expect(new Set(all.map((got) => got.header('x-request-id'))).size).toBe(5);
  });
});
