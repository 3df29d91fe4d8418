import { describe, expect, test } from 'vitest';
import { askRaw } from '../kit/raw-http.ts';
import { bytes, type RawReply } from '../kit/raw-upstream.ts';
import { askChat, chatBody, expectOpenAiError, rawStage } from './contract-kit.ts';

const stage = rawStage({
  body_bytes_max: 20_000_000,
  timeouts: { first_token_ms: 2000, idle_ms: 2000, total_ms: 3000 },
});
const { start } = stage;

const CHOICES = '"choices":[{"index":0,"message":{"role":"assistant","content":"ok"}}]';
const GOOD = `{"id":"c","object":"chat.completion",${CHOICES}}`;
const JSON_TYPE = 'content-type: application/json';
const message = (lines: readonly string[], body: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
const counted = (body: string, lines: readonly string[] = [JSON_TYPE], status = '200 OK'): string =>
  message([...lines, `content-length: ${Buffer.byteLength(body, 'latin1')}`], body, status);

describe('a whole answer', () => {
  test.each<[string, RawReply]>([
    ['as usual', bytes(counted(GOOD))],
    ['after 100 Continue', bytes(`HTTP/1.1 100 Continue\r\n\r\n${counted(GOOD)}`)],
    ['after early hints', bytes(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${counted(GOOD)}`)],
    ['after 102, many times', bytes(`${'HTTP/1.1 102 Wait\r\n\r\n'.repeat(500)}${counted(GOOD)}`)],
    ['without a type', bytes(counted(GOOD, []))],
    ['of another type', bytes(counted(GOOD, ['content-type: text/plain']))],
    ['with no coding, told', bytes(counted(GOOD, [JSON_TYPE, 'content-encoding: identity']))],
    ['without a reason', bytes(counted(GOOD).replace('200 OK', '200'))],
    ['with a reason of no ASCII', bytes(counted(GOOD).replace('200 OK', '200 \xc9t\xe9'))],
    ['to the end of the connection', bytes(message([JSON_TYPE], GOOD), 'close')],
    ['of HTTP/1.0', bytes(counted(GOOD).replace('HTTP/1.1', 'HTTP/1.0'), 'close')],
    [
      'in chunks with extensions and trailers',
      bytes(
        message(
          [JSON_TYPE, 'transfer-encoding: chunked'],
          `${GOOD.length.toString(16)};a=b\r\n${GOOD}\r\n0\r\nx-sum: 1\r\n\r\n`,
        ),
      ),
    ],
    ['of status 201', bytes(counted(GOOD, [JSON_TYPE], '201 Created'))],
  ])('is passed on %s', async (_how, reply) => {
    await start(reply);
    const got = await askChat(stage.gateway.port);
    expect(got.status < 300).toBe(true);
    expect(got.body.toString()).toBe(GOOD);
    expect(got.header('content-type')).toBe('application/json');
    expect(got.header('content-encoding')).toBeNull();
  });

  test.each<[string, RawReply]>([
    ['204 without a body', bytes('HTTP/1.1 204 No Content\r\n\r\n')],
    ['304 without a body', bytes('HTTP/1.1 304 Not Modified\r\n\r\n')],
    ['205 without a body', bytes(counted('', [], '205 Reset Content'))],
    ['a switch to another protocol', bytes('HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n')],
    [
      'a length that is too large',
      bytes(counted(GOOD).replace(/(length: )\d+/, '$19999'), 'close'),
    ],
    ['a length that is too small', bytes(counted(GOOD).replace(/(length: )\d+/, '$19'))],
    ['two lengths', bytes(counted(GOOD, [JSON_TYPE, 'content-length: 3']))],
    [
      'a length and chunks',
      bytes(counted(GOOD, [JSON_TYPE, 'transfer-encoding: chunked']), 'close'),
    ],
    ['a folded header', bytes(counted(GOOD, [JSON_TYPE, 'x: y\r\n z']))],
    ['headers of 40 KB', bytes(counted(GOOD, [JSON_TYPE, `x: ${'y'.repeat(40_000)}`]))],
    [
      'chunks that end early',
      bytes(message(['transfer-encoding: chunked'], '5\r\n{"id"'), 'close'),
    ],
    ['a size of a chunk that is none', bytes(message(['transfer-encoding: chunked'], 'zz\r\n'))],
    ['an end amid the headers', bytes('HTTP/1.1 200 OK\r\ncontent-le', 'close')],
    ['no HTTP at all', bytes('220 smtp.example ESMTP\r\n', 'close')],
    ['nothing, and a close', bytes('', 'close')],
    ['a list', bytes(counted('[]'))],
    ['null', bytes(counted('null'))],
    ['a text that is not UTF-8', bytes(counted(GOOD.replace('ok', '\xe4\xff')))],
    ['choices that are null', bytes(counted('{"id":"c","choices":null}'))],
  ])('is no answer: %s', async (_what, reply) => {
    await start(reply);
    const got = await askChat(stage.gateway.port);
    expect(got.status).toBe(502);
    expectOpenAiError(got);
    expect(got.whole).toBe(true);
    // What one connection brought must not be read as the answer to another call.
    stage.upstream.reply(bytes(counted(GOOD)));
    expect((await askChat(stage.gateway.port)).body.toString()).toBe(GOOD);
  });

  test.each([
    '{"id":"c","choices":[{"index":0,"message":{"content":"ok"}}],"seed":18446744073709551615}',
    '{"id":"c","id":"d","choices":[],"choices":[{"index":0,"message":{"content":"ok"}}]}',
    `{"choices":[{"index":0,"message":{"content":"\\ud800 \\udfff"}}],"a":1.0,"b":1e400,"c":-0}`,
    `{"choices":[],"deep":${'['.repeat(1000)}${']'.repeat(1000)}}`,
    '{"choices":[{"index":0,"message":{"content":null,"tool_calls":null}}],"usage":null}',
    '{"__proto__":{"x":1},"constructor":null,"choices":[{"index":0,"message":{"content":""}}]}',
  ])('is the provider’s own bytes: %s', async (body) => {
    await start(bytes(counted(body)));
    const got = await askChat(stage.gateway.port);
    expect([got.status, got.body.toString()]).toEqual([200, body]);
  });

  test('that comes before the request was read is passed on at once', async () => {
    const refusal = '{"error":{"message":"too long","type":"invalid_request_error"}}';
    await start();
    stage.upstream.replyEarly(bytes(counted(refusal, [JSON_TYPE], '400 Bad Request')));
    const known = stage.upstream.connections();
    const got = await askChat(stage.gateway.port, chatBody({ pad: 'x'.repeat(16_000_000) }));
    expect([got.status, expectOpenAiError(got).message]).toEqual([400, 'too long']);
    stage.upstream.reply(bytes(counted(GOOD)));
    expect((await askChat(stage.gateway.port)).body.toString()).toBe(GOOD);
    // The rest of the large request would be read as the next one.
    expect(stage.upstream.connections()).toBe(known + 2);
  });

  test.each([400, 403, 404, 413, 429, 500, 502, 503, 529])(
    'of status %i in HTML is an error of our own words',
    async (code) => {
      const page = '<html><body><h1>nginx</h1></body></html>';
      await start(bytes(counted(page, ['content-type: text/html'], `${code} No`)));
      for (const path of ['/v1/chat/completions', '/v1/messages'] as const) {
        const got = await askRaw(stage.gateway.port, { path, body: chatBody({ max_tokens: 5 }) });
        expect(got.status).toBeGreaterThanOrEqual(400);
        expect(got.header('content-type')).toBe('application/json');
        expect(got.body.toString()).not.toContain('nginx');
        if (path === '/v1/messages') expect(got.json()).toMatchObject({ type: 'error' });
        else expectOpenAiError(got);
      }
    },
  );
});
