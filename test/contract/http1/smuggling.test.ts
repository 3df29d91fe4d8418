import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT } from '../contract-kit.ts';
import {
  bodyOf,
  call,
  chunksOf,
  expectOk,
  expectRefused,
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
const length = body.length;
const hex = length.toString(16);
const CHUNKED = 'transfer-encoding: chunked';
const chunks = chunksOf(body);
const counted = `content-length: ${length}`;
const lines = (...fields: string[]): string => rawCall([...fields, counted], body);
const chunked = (sent: string): string => rawCall([CHUNKED], sent);
const SMUGGLED = call('smuggled');

/**
 * Messages that two recipients could read differently (RFC 9112 §11.2, RFC 9110 §5.5): whoever
 * stands before the gateway may have seen another end of them. None is served, and nothing behind
 * it is read.
 */
const AMBIGUOUS: readonly (readonly [string, string])[] = [
  ['a length and chunks', rawCall([counted, CHUNKED], chunks)],
  ['chunks and a length', rawCall([CHUNKED, 'content-length: 3'], chunks)],
  ['two lengths', rawCall([counted, 'content-length: 3'], body)],
  ['a list of two lengths', rawCall([`content-length: ${length}, 3`], body)],
  ['a length with a plus', rawCall([`content-length: +${length}`], body)],
  ['a length below nothing', rawCall(['content-length: -1'], body)],
  ['a length in hexadecimal', rawCall(['content-length: 0x10'], body)],
  ['a length with an exponent', rawCall(['content-length: 1e2'], body)],
  ['a length with a fraction', rawCall([`content-length: ${length}.0`], body)],
  ['a length with a space in it', rawCall(['content-length: 1 0'], body)],
  ['a length that is empty', rawCall(['content-length: '], body)],
  ['a length that is a word', rawCall(['content-length: many'], body)],
  ['a length beyond all numbers', rawCall([`content-length: ${'9'.repeat(30)}`], body)],
  ['a length before an underscore', rawCall([`content-length: ${length}_`], body)],
  ['a length with a byte of no ASCII', rawCall([`content-length: ${length}\xa0`], body)],
  ['a length and a folded one', rawCall([`content-length: ${length}\r\n 3`], body)],
  ['an unknown coding', rawCall(['transfer-encoding: xchunked'], chunks)],
  ['a coding before the chunks', rawCall(['transfer-encoding: gzip, chunked'], chunks)],
  ['chunks before another coding', rawCall(['transfer-encoding: chunked, gzip'], chunks)],
  ['chunks and no coding', rawCall(['transfer-encoding: chunked, identity'], chunks)],
  ['no coding, told', rawCall(['transfer-encoding: identity'], chunks)],
  ['an empty coding', rawCall(['transfer-encoding: '], chunks)],
  ['an empty coding and a length', rawCall(['transfer-encoding:', counted], body)],
  ['chunks twice in a list', rawCall(['transfer-encoding: chunked, chunked'], chunks)],
  ['chunks twice', rawCall([CHUNKED, CHUNKED], chunks)],
  ['chunks and gzip in two lines', rawCall(['transfer-encoding: gzip', CHUNKED], chunks)],
  ['chunks in quotes', rawCall(['transfer-encoding: "chunked"'], chunks)],
  ['chunks with a parameter', rawCall(['transfer-encoding: chunked;q=1'], chunks)],
  ['chunks behind a vertical tab', rawCall(['transfer-encoding: \x0bchunked'], chunks)],
  ['chunks behind a NUL', rawCall(['transfer-encoding: \0chunked'], chunks)],
  ['chunks folded', rawCall(['transfer-encoding:\r\n chunked'], chunks)],
  ['chunks in HTTP/1.0', rawCall([CHUNKED], chunks, 'HTTP/1.0')],
  ['a space before the colon', lines('x-a : b')],
  ['a tab before the colon', lines('x-a\t: b')],
  ['a space before the colon of a length', rawCall([`content-length : ${length}`], body)],
  ['a space before the colon of a coding', rawCall(['transfer-encoding : chunked'], chunks)],
  ['a folded line', lines('x-a: b\r\n c')],
  ['a line folded with a tab', lines('x-a: b\r\n\tc')],
  [
    'a first line that is folded',
    `POST ${CHAT} HTTP/1.1\r\n x: y\r\n${HOST}${counted}\r\n\r\n${body}`,
  ],
  ['a line that ends in LF', lines('x-a: b\nx-c: d')],
  ['a line that ends in CR', lines('x-a: b\rx-c: d')],
  ['a CR in a value', lines('x-a: b\rc')],
  ['a CR before the CRLF', lines('x-a: b\r')],
  ['lines that all end in LF', `${lines().slice(0, -length).replaceAll('\r\n', '\n')}${body}`],
  ['an end of the headers that is LF', `POST ${CHAT} HTTP/1.1\r\n${HOST}${counted}\r\n\n${body}`],
  ['a request line that ends in LF', lines().replace('HTTP/1.1\r\n', 'HTTP/1.1\n')],
  ['a NUL in a value', lines('x-a: b\0c')],
  ['a NUL in a name', lines('x\0a: b')],
  ['a NUL in the target', lines().replace(CHAT, `${CHAT}\0`)],
  ['a control character in a value', lines('x-a: b\x01c')],
  ['a DEL in a value', lines('x-a: b\x7fc')],
  ['a name that is empty', lines(': b')],
  ['a name that is no token', lines('x(a): b')],
  ['a name with a byte of no ASCII', lines('x-\xe4: b')],
  ['a line without a colon', lines('x-a')],
  ['two Host headers', lines('host: localhost')],
  ['two Host headers, of which one is foreign', lines('host: evil.example')],
  ['a size of a chunk with 0x', chunked(`0x${hex}\r\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk below nothing', chunked(`-1\r\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk with a plus', chunked(`+${hex}\r\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk that is empty', chunked(`\r\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk beyond all numbers', chunked(`${'f'.repeat(17)}\r\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk that wraps around', chunked(`1${'0'.repeat(16)}\r\n${chunks}`)],
  ['a size of a chunk behind a space', chunked(` ${hex}\r\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk that ends in LF', chunked(`${hex}\n${body}\r\n0\r\n\r\n`)],
  ['a size of a chunk that ends in CR', chunked(`${hex}\r${body}\r\n0\r\n\r\n`)],
  ['a chunk that is too short', chunked(`${(length - 1).toString(16)}\r\n${body}\r\n0\r\n\r\n`)],
  ['a chunk that ends in LF', chunked(`${hex}\r\n${body}\n0\r\n\r\n`)],
  ['a chunk that ends in CR and a letter', chunked(`${hex}\r\n${body}\rX0\r\n\r\n`)],
  ['an extension with an LF', chunked(`${hex};a\nb\r\n${body}\r\n0\r\n\r\n`)],
  ['an extension with a CR', chunked(`${hex};a\rb\r\n${body}\r\n0\r\n\r\n`)],
  ['an extension without an end', chunked(`${hex};${'a'.repeat(40_000)}\r\n${chunks}`)],
  ['a last chunk that ends in LF', chunked(`${hex}\r\n${body}\r\n0\n\n`)],
  ['a trailer that is no header', chunked(`${hex}\r\n${body}\r\n0\r\nno colon\r\n\r\n`)],
  ['a trailer that is folded', chunked(`${hex}\r\n${body}\r\n0\r\nx: y\r\n z\r\n\r\n`)],
  ['a trailer with a space before its colon', chunked(`${hex}\r\n${body}\r\n0\r\nx : y\r\n\r\n`)],
];

describe('what can be read in two ways', () => {
  test.each(AMBIGUOUS)('is refused, and nothing behind it is read: %s', async (_what, bytes) => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    await connection.write(bytes + SMUGGLED + SMUGGLED);
    await expectRefused(connection);
    expect(world.upstream.calls.length).toBe(known);
  });

  test.each(AMBIGUOUS)('is refused a byte at a time too: %s', async (_what, bytes) => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    for (const byte of Buffer.from(bytes, 'latin1')) {
      if (connection.ended || connection.pending().length > 0) break;
      await connection.write(Buffer.of(byte));
    }
    await expectRefused(connection);
    expect(world.upstream.calls.length).toBe(known);
  });

  test.each(AMBIGUOUS)('costs no answer that stands before it: %s', async (_what, bytes) => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    await connection.write(call('before') + bytes + SMUGGLED);
    expectOk(await connection.answer());
    // What follows is either refused or not read at all; it is no answer to anything.
    const rest = await connection.end();
    expect(rest.toString('latin1')).not.toMatch(/^HTTP\/1\.1 [^4]/);
    expect(world.heard().slice(known)).toEqual(['before']);
  });
});

/** Refused or taken, as the server sees fit, but never taken for two requests. */
const LENIENT: readonly (readonly [string, string])[] = [
  ['a length told twice alike', rawCall([counted, counted], body)],
  ['a list of one length', rawCall([`content-length: ${length}, ${length}`], body)],
  ['a length with zeros before it', rawCall([`content-length: 000${length}`], body)],
  ['two spaces in the request line', lines().replace('POST ', 'POST  ')],
  ['a space behind the size of a chunk', chunked(`${hex} \r\n${body}\r\n0\r\n\r\n`)],
  ['framing headers named as hop-by-hop', lines('connection: content-length, host')],
];

describe('what only one side is strict about', () => {
  test.each(LENIENT)('is refused, or served as one request: %s', async (_what, bytes) => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    await connection.write(bytes + call('next'));
    const got = await connection.answer();
    const heard = () => world.heard().slice(known);
    if (got.status === 200) {
      expectOk(await connection.answer());
      expect(heard()).toEqual(['hi', 'next']);
    } else {
      expect([got.status, got.header('connection')]).toEqual([400, 'close']);
      await connection.end();
      expect(heard()).toEqual([]);
    }
  });
});
