import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT, expectOpenAiError } from '../contract-kit.ts';
import {
  bodyOf,
  call,
  expectOk,
  expectUsable,
  HOST,
  rawCall,
  startWorld,
  type World,
} from './http1-kit.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const body = bodyOf();
const counted = `content-length: ${body.length}`;
const head = (line: string, fields = `${HOST}${counted}\r\n`): string =>
  `${line}\r\n${fields}\r\n${body}`;
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `x-${index}: ${index}`);

/** Odd, and as HTTP has it. */
const GOOD: readonly (readonly [string, string])[] = [
  ['names in capitals', rawCall([`CONTENT-LENGTH: ${body.length}`, 'ACCEPT: */*'], body)],
  ['values without a space before them', call('hi', ['x-a:b', 'accept:*/*'])],
  ['values among spaces and tabs', call('hi', ['x-a: \t b \t ', 'x-agent-id: \t default \t'])],
  ['values that are empty', call('hi', ['x-a:', 'x-b: ', 'x-c:\t'])],
  ['values with bytes of no ASCII', call('hi', ['x-a: \xfcber \xe2\x82\xac'])],
  ['values with every printable character', call('hi', [`x-a: ${printables()}`])],
  ['a value of 8 KB', call('hi', [`x-a: ${'x'.repeat(8192)}`])],
  ['a value of 15 KB', call('hi', [`cookie: ${'x'.repeat(15_000)}`])],
  ['names with every character of a token', call('hi', ["!#$%&'*+-.^_`|~09azAZ: x"])],
  ['200 headers', call('hi', many(200))],
  ['a header that comes again', call('hi', ['x-a: 1', 'x-a: 2', 'accept: a/b', 'accept: c/d'])],
  ['a credential told twice', call('hi', ['authorization: Bearer a', 'authorization: Bearer a'])],
  ['cookies that come again', call('hi', ['cookie: a=1', 'cookie: b=2'])],
  ['a type that comes again', call('hi', many(1).concat(['content-type: application/json']))],
  ['names of an object’s own', call('hi', ['__proto__: x', 'constructor: y', 'toString: z'])],
  ['a Host with a port', head(`POST ${CHAT} HTTP/1.1`, `host: localhost:80\r\n${counted}\r\n`)],
  ['a Host in capitals', head(`POST ${CHAT} HTTP/1.1`, `HOST: LOCALHOST\r\n${counted}\r\n`)],
  ['a query', head(`POST ${CHAT}?a=b&c=%20/?%2f HTTP/1.1`)],
  ['a query of 8 KB', head(`POST ${CHAT}?${'q'.repeat(8192)} HTTP/1.1`)],
  ['hop-by-hop headers', call('hi', ['te: trailers', 'keep-alive: timeout=5', 'proxy-x: y'])],
  ['priority and early data', call('hi', ['priority: u=1, i', 'early-data: 1'])],
];

function printables(): string {
  return String.fromCharCode(...Array.from({ length: 95 }, (_, index) => index + 32)).trim();
}

describe('a request’s head', () => {
  test.each(GOOD)('may have %s', async (_what, bytes) => {
    const connection = await world.open();
    await connection.write(bytes);
    expectOk(await connection.answer());
    await expectUsable(connection);
  });
});

/** No HTTP/1.x, or nothing that is served here. */
const BAD: readonly (readonly [string, readonly number[], string])[] = [
  ['HTTP/2.0', [400, 505], head(`POST ${CHAT} HTTP/2.0`)],
  ['HTTP/1.2', [400, 505], head(`POST ${CHAT} HTTP/1.2`)],
  ['HTTP/1.10', [400, 505], head(`POST ${CHAT} HTTP/1.10`)],
  ['HTTP/0.9', [400, 505], head(`POST ${CHAT} HTTP/0.9`)],
  ['another protocol', [400], head(`POST ${CHAT} HTTQ/1.1`)],
  ['a version in small letters', [400], head(`POST ${CHAT} http/1.1`)],
  ['the preface of HTTP/2', [400, 505], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['the hello of TLS', [400], `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'\x00'.repeat(32)}`],
  ['tabs in the request line', [400], head(`POST\t${CHAT}\tHTTP/1.1`)],
  ['a space behind the version', [400], head(`POST ${CHAT} HTTP/1.1 `)],
  ['a space in the target', [400], head('POST /v1/chat completions HTTP/1.1')],
  ['bytes of no ASCII in the target', [400], head(`POST ${CHAT}/\xc3\xa9 HTTP/1.1`)],
  ['no target', [400], head('POST  HTTP/1.1')],
  ['an absolute target', [400], head(`POST http://localhost${CHAT} HTTP/1.1`)],
  ['a target of two slashes', [400], head(`POST /${CHAT} HTTP/1.1`)],
  ['a target of a backslash', [400], head('POST /v1\\chat/completions HTTP/1.1')],
  ['a target with dots', [400], head('POST /v1/../v1/chat/completions HTTP/1.1')],
  ['a target with a fragment', [400], head(`POST ${CHAT}#x HTTP/1.1`)],
  ['a target that is a star', [400], head('OPTIONS * HTTP/1.1')],
  ['a method in small letters', [400, 405, 501], head(`post ${CHAT} HTTP/1.1`)],
  ['an unknown method', [400, 405, 501], head(`BREW ${CHAT} HTTP/1.1`)],
  ['a method that is no token', [400], head(`PO(ST ${CHAT} HTTP/1.1`)],
  ['no method', [400], head(` ${CHAT} HTTP/1.1`)],
  [
    'a wish for a tunnel',
    [400, 405, 501],
    'CONNECT localhost:1 HTTP/1.1\r\nhost: localhost:1\r\n\r\n',
  ],
  ['no Host', [400], head(`POST ${CHAT} HTTP/1.1`, `${counted}\r\n`)],
  ['a foreign Host', [400], head(`POST ${CHAT} HTTP/1.1`, `host: evil.example\r\n${counted}\r\n`)],
  ['two credentials', [400], call('hi', ['authorization: Bearer a', 'authorization: Bearer b'])],
  ['headers of 40 KB', [431], call('hi', [`x-a: ${'x'.repeat(40_000)}`])],
  ['4,000 headers', [431], call('hi', many(4000))],
  ['a target of 40 KB', [414, 431], head(`POST ${CHAT}?${'q'.repeat(40_000)} HTTP/1.1`)],
  ['a header without an end', [431], `POST ${CHAT} HTTP/1.1\r\n${HOST}x: ${'y'.repeat(40_000)}`],
  ['a request line without an end', [400, 414, 431], 'P'.repeat(40_000)],
];

describe('what is no request', () => {
  test.each(BAD)('%s is refused with one of %j, and closed', async (_what, statuses, bytes) => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    void connection.write(bytes + call('behind'));
    const got = await connection.answer();
    expect(statuses).toContain(got.status);
    expect(got.header('connection')).toBe('close');
    expect(got.header('x-request-id')).toMatch(/^call_/);
    expectOpenAiError(got);
    expect((await connection.end()).length).toBe(0);
    expect(world.upstream.calls.length).toBe(known);
  });

  test('costs nobody else anything', async () => {
    const good = await world.open();
    for (const [, , bytes] of BAD) {
      const bad = await world.open();
      void bad.write(bytes);
      await expectUsable(good);
      bad.socket.destroy();
    }
  });
});

describe('Expect: 100-continue', () => {
  const expecting = (lines: string[], version = 'HTTP/1.1'): string =>
    rawCall(['expect: 100-continue', ...lines], '', version);

  test('is answered before the body comes, and the call when it has', async () => {
    for (const value of ['100-continue', '100-Continue']) {
      const connection = await world.open();
      await connection.write(rawCall([`expect: ${value}`, counted], ''));
      await connection.saw('HTTP/1.1 100 Continue\r\n\r\n');
      await connection.write(body);
      const got = await connection.answer();
      expectOk(got);
      expect(got.interim).toEqual([100]);
      await expectUsable(connection);
    }
  });

  test('may have its body at once', async () => {
    const connection = await world.open();
    await connection.write(expecting([counted]) + body);
    const got = await connection.answer();
    expectOk(got);
    expect(got.interim.every((code) => code === 100)).toBe(true);
    await expectUsable(connection);
  });

  test('is not answered in HTTP/1.0, which does not know it', async () => {
    const connection = await world.open();
    await connection.write(expecting([counted], 'HTTP/1.0') + body);
    const got = await connection.answer();
    expectOk(got);
    expect(got.interim).toEqual([]);
  });

  test('is refused where it asks for anything else', async () => {
    const connection = await world.open();
    await connection.write(rawCall(['expect: the-unexpected', counted], ''));
    const got = await connection.answer();
    expect([got.status, got.interim]).toEqual([417, []]);
    expectOpenAiError(got);
  });
});
