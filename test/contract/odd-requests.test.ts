import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { askRaw, openRaw, parseAnswer, type RawRequest, requestBytes } from '../kit/raw-http.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { CHAT, chatBody, expectOpenAiError, serve } from './contract-kit.ts';

let upstream: Upstream;
let gateway: RunningGateway;
beforeAll(async () => {
  upstream = await startUpstream(answer('ok'));
});
beforeEach(async () => {
  gateway = await serve({ targets: { main: upstream.url } });
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const body = chatBody();
const JSON_TYPE = ['content-type', 'application/json'] as const;
const ask = (headers: RawRequest['headers'] = [], more: RawRequest = {}) =>
  askRaw(gateway.port, { path: CHAT, body, headers, ...more });

/** Each is refused before any upstream hears of it, in OpenAI's shape and with an id. */
const REFUSED: readonly (readonly [string, number, RawRequest])[] = [
  [
    'two Host headers',
    400,
    {
      headers: [
        ['host', 'localhost'],
        ['host', 'evil.example'],
      ],
    },
  ],
  ['a foreign Host', 400, { headers: { host: 'evil.example' } }],
  ['another Expect', 417, { headers: { expect: '200-ok' } }],
  ['GET', 405, { method: 'GET' }],
  ['a preflight', 405, { method: 'OPTIONS', headers: { origin: 'https://a.example' } }],
  ['a trailing slash', 404, { path: `${CHAT}/` }],
  ['a slash in disguise', 400, { path: '/v1/chat%2Fcompletions' }],
  ['an absolute target', 400, { path: `http://localhost${CHAT}` }],
  ['a coding', 415, { headers: { 'content-encoding': 'gzip' } }],
  ['an empty body', 400, { body: '' }],
  ['NaN', 400, { body: body.replace('{', '{"temperature":NaN,') }],
  ['a byte order mark', 400, { body: `\ufeff${body}` }],
  ['a body nested too deep', 400, { body: `${'['.repeat(5000)}${']'.repeat(5000)}` }],
  ['a model that is a number', 400, { body: chatBody({ model: 1 }) }],
  ['"stream": "true"', 400, { body: chatBody({ stream: 'true' }) }],
  ['messages that are text', 400, { body: chatBody({ messages: 'hi' }) }],
];

describe('4c Errors of odd requests', () => {
  test.each(REFUSED)('4c refuses %s with status %i, and 4b with an id', async (...row) => {
    const [, code, request] = row;
    const known = upstream.calls.length;
    const got = await ask([], request);
    expect(got.status).toBe(code);
    expectOpenAiError(got);
    expect(got.header('x-request-id')).toMatch(/^call_/);
    expect(got.header('x-should-retry')).toBe('false');
    expect(upstream.calls.length).toBe(known);
  });

  test('4c says with a 405 what is allowed', async () => {
    expect((await ask([], { method: 'PUT' })).header('allow')).toBe('POST');
    for (const path of ['/feedback', '/api/v1/feedback/collect', '/health']) {
      const got = await ask([], { method: 'PUT', path });
      expect([got.status, expectOpenAiError(got).code]).toEqual([405, 'method_not_allowed']);
      expect(got.header('allow')).toBe(path === '/health' ? 'GET, HEAD' : 'POST');
    }
    const models = await ask([], { method: 'DELETE', path: '/v1/models' });
    expect(models.header('allow')).toBe('GET, HEAD');
  });

  test('4c says what is wrong with a JSON, and quotes nothing of it', async () => {
    const said = async (sent: string) => expectOpenAiError(await ask([], { body: sent })).message;
    expect(await said(`\ufeff${body}`)).toMatch(/byte order mark/);
    expect(await said('{"secret": NaN}')).toMatch(/unexpected token/);
    expect(await said('{"secret": NaN}')).not.toMatch(/secret/);
    expect(await said('{"a":')).toMatch(/ends too early/);
  });
});

describe('4a odd requests that are good', () => {
  test.each<[string, RawRequest]>([
    ['a query', { path: `${CHAT}?api-version=2024-10-21` }],
    ['a type that is not told', {}],
    ['an offer of HTTP/2', { headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' } }],
    ['an offer of another protocol', { headers: { connection: 'upgrade', upgrade: 'websocket' } }],
    ['Expect: 100-continue', { headers: { expect: '100-continue' } }],
    ['half a surrogate pair', { body: body.replace('hi', '\\ud800') }],
    ['"stream": null', { body: chatBody({ stream: null }) }],
  ])('4a answers %s', async (_what, request) => {
    const open = await openRaw(gateway.port, requestBytes({ path: CHAT, body, ...request }));
    await open.saw('"ok"');
    open.socket.destroy();
    const bytes = open.bytes().toString().replace('HTTP/1.1 100 Continue\r\n\r\n', '');
    expect(parseAnswer(Buffer.from(bytes)).status).toBe(200);
  });

  test('4a answers requests that were sent without waiting, in their order', async () => {
    const first = requestBytes({ path: CHAT, body, headers: { connection: 'keep-alive' } });
    const second = requestBytes({ path: '/v1/models' });
    const open = await openRaw(gateway.port, Buffer.concat([first, second]));
    await open.closed;
    const text = open.bytes().toString();
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(text.indexOf('"ok"')).toBeLessThan(text.indexOf('"list"'));
  });
});

describe('what a foreign page can make a browser send', () => {
  const pages: readonly (readonly [string, string])[] = [
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
    ['origin', 'https://evil.example'],
    ['origin', 'http://localhost:3000'],
    ['origin', 'null'],
  ];

  test.each(pages)(
    '4c it is refused unless it is JSON, which a browser asks for first: %s %s',
    async (...foreign) => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json']) {
        const got = await ask([foreign, ['content-type', type]]);
        expect([got.status, expectOpenAiError(got).code]).toEqual([403, 'forbidden']);
        const rating = await ask([foreign, ['content-type', type]], { path: '/feedback' });
        expect(rating.status).toBe(403);
      }
      expect((await ask([foreign])).status).toBe(403);
      expect((await ask([foreign, JSON_TYPE])).status).toBe(200);
    },
  );

  test('4c our own page, and who is no page, may send anything', async () => {
    expect((await ask([['sec-fetch-site', 'same-origin']])).status).toBe(200);
    expect((await ask([['sec-fetch-site', 'none']])).status).toBe(200);
    expect((await ask([['origin', 'http://localhost']])).status).toBe(200);
    expect((await ask()).status).toBe(200);
  });
});
