import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../kit/until.ts';
import {
  bodyOf,
  call,
  chunksOf,
  expectOk,
  expectUsable,
  pass,
  rawCall,
  startWorld,
  type World,
} from './http1-kit.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ body_bytes_max: 200_000 });
});
afterAll(() => world.close());

const body = bodyOf('größe');
const latin1 = Buffer.from(body).toString('latin1');
const length = latin1.length;
const CHUNKED = 'transfer-encoding: chunked';
const hex = length.toString(16);

/** RFC 9112 §6 and §7.1: ways to send one body that say the same. */
const SAME: readonly (readonly [string, string])[] = [
  ['a length', rawCall([`content-length: ${length}`], latin1)],
  ['a length with spaces and tabs about it', rawCall([`content-length: \t ${length} \t`], latin1)],
  ['a length without a space', rawCall([`CONTENT-LENGTH:${length}`], latin1)],
  ['one chunk', rawCall([CHUNKED], chunksOf(latin1))],
  ['chunks of a byte', rawCall([CHUNKED], chunksOf(latin1, 1))],
  ['chunks that grow', rawCall([CHUNKED], chunksOf(latin1, 1, 2, 3, 5, 8, 13, 21))],
  ['a coding in capitals', rawCall(['Transfer-Encoding: CHUNKED'], chunksOf(latin1, 7))],
  ['a size in capitals', rawCall([CHUNKED], `${hex.toUpperCase()}\r\n${latin1}\r\n0\r\n\r\n`)],
  ['sizes with zeros before them', rawCall([CHUNKED], `000${hex}\r\n${latin1}\r\n000\r\n\r\n`)],
  [
    'extensions of chunks',
    rawCall([CHUNKED], `${hex};a;b=c;d="e f"\r\n${latin1}\r\n0;last\r\n\r\n`),
  ],
  [
    'trailers, of which none counts',
    rawCall([CHUNKED], `${hex}\r\n${latin1}\r\n0\r\nx-agent-id: none\r\nx-sum: 1\r\n\r\n`),
  ],
  ['empty lines before the request', `\r\n\r\n${rawCall([CHUNKED], chunksOf(latin1))}`],
];

const sentUpstream = (): string | undefined => world.upstream.calls.at(-1)?.raw.toString('utf8');
const expected = body.replace('"default"', '"model-main"');

describe('a request’s body', () => {
  test.each(SAME)('is understood as %s, and its connection is kept', async (_what, bytes) => {
    const connection = await world.open();
    await connection.write(bytes);
    expectOk(await connection.answer());
    expect(sentUpstream()).toBe(expected);
    await expectUsable(connection);
  });

  test.each(SAME)('is the same as %s, a byte at a time', async (_what, bytes) => {
    const connection = await world.open();
    for (const byte of Buffer.from(bytes, 'latin1')) {
      await connection.write(Buffer.of(byte));
    }
    expectOk(await connection.answer());
    expect(sentUpstream()).toBe(expected);
    await expectUsable(connection);
  });

  test('is the same wherever its packets are cut, several requests in one too', async () => {
    const texts = fc.array(fc.constantFrom(...SAME.map(([, bytes]) => bytes)), {
      minLength: 1,
      maxLength: 3,
    });
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    const run = async (requests: string[], places: number[]) => {
      const bytes = Buffer.from(requests.join(''), 'latin1');
      const at = places.map((place) => place % bytes.length).sort((one, other) => one - other);
      const connection = await world.open();
      const known = world.upstream.calls.length;
      for (const [index, begin] of [0, ...at].entries()) {
        await connection.write(bytes.subarray(begin, at[index] ?? bytes.length));
      }
      for (const _ of requests) expectOk(await connection.answer());
      const sent = world.upstream.calls.slice(known).map(({ raw }) => raw.toString('utf8'));
      expect(sent).toEqual(requests.map(() => expected));
      connection.socket.destroy();
    };
    await fc.assert(fc.asyncProperty(texts, cuts, run), { numRuns: 100, seed: 20_261_127 });
  });

  test('may be as large as the limit, in one chunk or in thousands', async () => {
    const large = bodyOf('x'.repeat(150_000));
    for (const size of [large.length, 100]) {
      const connection = await world.open();
      await connection.write(rawCall([CHUNKED], chunksOf(large, size)));
      expectOk(await connection.answer());
      expect(world.upstream.calls.at(-1)?.user.length).toBe(150_000);
      await expectUsable(connection);
    }
  });

  test('that GET has is passed over, and does not become a request', async () => {
    const hidden = call('smuggled');
    for (const framed of [
      `content-length: ${hidden.length}\r\n\r\n${hidden}`,
      `${CHUNKED}\r\n\r\n${chunksOf(hidden, 40)}`,
    ]) {
      const connection = await world.open();
      await connection.write(`GET /v1/models HTTP/1.1\r\nhost: localhost\r\n${framed}`);
      expect((await connection.answer('GET')).status).toBe(200);
      await expectUsable(connection);
    }
    expect(world.heard()).not.toContain('smuggled');
  });

  test('is awaited to its end: no byte fewer makes a call', async () => {
    for (const [, bytes] of SAME) {
      const known = world.upstream.calls.length;
      const connection = await world.open();
      await connection.write(bytes.slice(0, -1));
      await pass(5);
      expect(world.upstream.calls.length).toBe(known);
      await connection.write(bytes.slice(-1));
      expectOk(await connection.answer());
      connection.socket.destroy();
    }
  });

  test('that ends with its connection is no call, and leaves nothing behind', async () => {
    for (const how of ['end', 'resetAndDestroy'] as const) {
      for (const [, bytes] of SAME) {
        const known = world.upstream.calls.length;
        const connection = await world.open();
        await connection.write(bytes.slice(0, -1));
        connection.socket[how]();
        if (how === 'end') await connection.end();
        expect(world.upstream.calls.length).toBe(known);
      }
    }
    await until(() => world.gateway.gateway.callsOpen() === 0, { what: 'the calls to be over' });
  });
});
