import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadResponse } from '../../../../src/gateway/upstream/http1/response-head.ts';
import {
  ResponseReader,
  TOO_LARGE,
  TURN_ROOM,
} from '../../../../src/gateway/upstream/http1/response-reader.ts';

const LIMITS = { head_bytes_max: 4096, body_bytes_max: 100_000 };

interface Heard {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  body: Buffer;
  over: { reusable: boolean; idle_ms: number | null } | null;
}

function reading(limits = LIMITS) {
  const heard: Heard = { status: 0, headers: {}, body: Buffer.alloc(0), over: null };
  const reader = new ResponseReader(
    {
      onHead(status, headers) {
        heard.status = status;
        heard.headers = { ...headers };
      },
      onBody(bytes) {
        heard.body = Buffer.concat([heard.body, bytes]);
      },
      onOver(reusable, idle_ms) {
        heard.over = { reusable, idle_ms };
      },
    },
    limits,
  );
  return { reader, heard };
}

/** Reads bytes cut at the given places; each piece is wiped afterwards, as a shared buffer is. */
function read(bytes: Buffer, cuts: readonly number[] = [], limits = LIMITS) {
  const { reader, heard } = reading(limits);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  for (let index = 1; index < at.length; index += 1) {
    const piece = Buffer.from(bytes.subarray(at[index - 1], at[index]));
    for (let rest: Buffer | null = piece; rest && rest.length > 0; ) {
      reader.room = TURN_ROOM;
      rest = reader.push(rest);
    }
    piece.fill(0);
  }
  return { reader, heard };
}

const answer = (head: string, body: Uint8Array | string = '') =>
  Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), Buffer.from(body)]);

function chunked(parts: readonly Uint8Array[], extension = '', trailer = ''): Buffer {
  const chunks = parts.flatMap((part) => [
    Buffer.from(`${part.length.toString(16)}${extension}\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...chunks, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

const cuts = fc.array(fc.nat(5000), { maxLength: 12 });
const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 });

describe('ResponseReader', () => {
  test('reader gives a body of a told length back, however the bytes are split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 800 }), cuts, (body, places) => {
        const bytes = answer(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}`, body);
        const { heard } = read(bytes, places);
        expect(heard).toMatchObject({ status: 200, over: { reusable: true, idle_ms: null } });
        expect(heard.body.equals(Buffer.from(body))).toBe(true);
      }),
    );
  });

  test('reader puts chunks together, with extensions and trailers, however they are split', () => {
    const extension = fc.constantFrom('', ';a=b', ' ;x="y"');
    const trailer = fc.constantFrom('', 'x-sum: 1\r\n', 'a: b\r\nc: d\r\n');
    fc.assert(
      fc.property(parts, extension, trailer, cuts, (given, ext, more, places) => {
        const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked';
        const { heard } = read(answer(head, chunked(given, ext, more)), places);
        expect(heard.over).toEqual({ reusable: true, idle_ms: null });
        expect(heard.body.equals(Buffer.concat(given))).toBe(true);
      }),
    );
  });

  test('reader bounds the extensions of one chunk, and not those of all together', () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked';
    const given = Array.from({ length: 5000 }, () => Buffer.from('x'));
    expect(read(answer(head, chunked(given, ' ;seq=12'))).heard.over).not.toBeNull();
    const long = chunked([Buffer.from('x')], `;a=${'b'.repeat(20_000)}`);
    expect(() => read(answer(head, long))).toThrow(BadResponse);
    const trailers = chunked([Buffer.from('x')], '', 'a: b\r\n'.repeat(4000));
    expect(() => read(answer(head, trailers))).toThrow(BadResponse);
  });

  test('reader takes what has no length as it comes, until the connection ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), cuts, (body, places) => {
        const { reader, heard } = read(answer('HTTP/1.1 200 OK', body), places);
        expect(heard.over).toBeNull();
        reader.end();
        expect(heard.over).toEqual({ reusable: false, idle_ms: null });
        expect(heard.body.equals(Buffer.from(body))).toBe(true);
      }),
    );
  });

  test('reader passes interim answers over, and bodies that a status cannot have', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n';
    const bytes = Buffer.concat([Buffer.from(interim), answer('HTTP/1.1 204 No Content')]);
    const { heard } = read(bytes, [7, 30, 60]);
    expect(heard).toMatchObject({ status: 204, over: { reusable: true } });
    expect(heard.headers).toEqual({});
  });

  test('reader says how long a connection may rest, and when it may not be used again', () => {
    const over = (head: string) => read(answer(`${head}\r\ncontent-length: 0`)).heard.over;
    expect(over('HTTP/1.1 200 OK\r\nkeep-alive: max=3, timeout=5')).toEqual({
      reusable: true,
      idle_ms: 5000,
    });
    expect(over('HTTP/1.1 200 OK\r\nconnection: Keep-Alive, Close')?.reusable).toBe(false);
    expect(over('HTTP/1.0 200 OK')?.reusable).toBe(false);
    expect(over('HTTP/1.0 200 OK\r\nconnection: keep-alive')?.reusable).toBe(true);
  });

  test('reader makes a list of a header that comes again, and keeps names in lower case', () => {
    const head = 'HTTP/1.1 200 \r\nSet-Cookie: a\r\nX-One:   b  \r\nset-cookie: c\r\nSET-COOKIE: d';
    const { heard } = read(answer(`${head}\r\ncontent-length: 0`));
    expect(heard.headers).toMatchObject({ 'set-cookie': ['a', 'c', 'd'], 'x-one': 'b' });
  });

  test.each([
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: +3'],
    ['a length in words', 'HTTP/1.1 200 OK\r\ncontent-length: 0x3'],
    ['another transfer coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx-a: b\r\n c: d'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nnothing'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 3'],
    ['a bare newline in a header', 'HTTP/1.1 200 OK\r\nx-a: b\nc: d'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx-a: b\0'],
    ['another protocol', 'HTTP/2 200'],
    ['a protocol switch', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2'],
    ['interim answers without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1001)],
  ])('reader refuses %s', (_what, head) => {
    expect(() => read(answer(head, 'abc'))).toThrow(BadResponse);
  });

  test.each([
    ['a size without digits', '\r\nabc\r\n0\r\n\r\n'],
    ['a size that is no number', '-3\r\nabc\r\n0\r\n\r\n'],
    ['a size beyond all sense', 'fffffffffffff\r\n'],
    ['data that goes on after its size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['a bare newline after a size', '3\nabc\r\n0\r\n\r\n'],
  ])('reader refuses a chunk with %s', (_what, body) => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked';
    expect(() => read(answer(head, body))).toThrow(BadResponse);
  });

  test('reader never takes a cut body for a whole one, wherever it was cut', () => {
    const whole = [
      answer('HTTP/1.1 200 OK\r\ncontent-length: 20', 'twenty bytes of text'),
      answer('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked', chunked([Buffer.from('some')])),
    ];
    for (const bytes of whole) {
      for (let end = 0; end < bytes.length; end += 1) {
        const { reader, heard } = read(bytes.subarray(0, end));
        expect(() => reader.end()).toThrow(BadResponse);
        expect(heard.over).toBeNull();
      }
    }
  });

  test('reader gives a connection up on which bytes follow the answer', () => {
    const bytes = answer('HTTP/1.1 200 OK\r\ncontent-length: 2', 'okHTTP/1.1 200 OK');
    const { reader, heard } = read(bytes);
    expect(heard.over).toEqual({ reusable: false, idle_ms: null });
    expect(heard.body.toString()).toBe('ok');
    expect(() => reader.push(Buffer.from('more'))).toThrow(BadResponse);
  });

  test('reader stops at its room amid events and chunks, and goes on where it stopped', () => {
    const events = Buffer.from('data:{}\n\n'.repeat(5000));
    const each = Array.from({ length: 5000 }, () => Buffer.from('y'));
    const stream = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream';
    const json = 'HTTP/1.1 200 OK\r\ncontent-type: application/json';
    const coded = 'transfer-encoding: chunked';
    for (const [bytes, parts_max] of [
      [answer(stream, events), 1],
      [answer(`${stream}\r\n${coded}`, chunked([events])), 1],
      [answer(`${json}\r\n${coded}`, chunked(each)), TURN_ROOM / 16],
    ] as const) {
      const shown: Buffer[] = [];
      const reader = new ResponseReader(
        { onHead() {}, onBody: (part) => void shown.push(part), onOver() {} },
        LIMITS,
      );
      let rest = reader.push(bytes);
      let pushes = 1;
      for (; rest !== null; pushes += 1) {
        expect(shown.length).toBeLessThanOrEqual(pushes * parts_max);
        expect(shown.at(-1)?.length).toBeLessThanOrEqual(TURN_ROOM);
        expect(reader.room).toBeLessThanOrEqual(0);
        reader.room = TURN_ROOM;
        rest = reader.push(rest);
      }
      expect(pushes).toBeGreaterThan(10);
      const body = Buffer.concat(shown);
      expect(body.equals(events) || body.equals(Buffer.concat(each))).toBe(true);
    }
  });

  test('reader shows a whole answer of JSON as it comes, in one part', () => {
    const shown: number[] = [];
    const reader = new ResponseReader(
      { onHead() {}, onBody: (part) => void shown.push(part.length), onOver() {} },
      LIMITS,
    );
    const type = 'content-type: application/json; charset=utf-8';
    const head = `HTTP/1.1 200 OK\r\n${type}\r\ncontent-length: 60000`;
    expect(reader.push(answer(head, 'y'.repeat(60_000)))).toBeNull();
    expect(shown).toEqual([60_000]);
    expect(reader.room).toBeGreaterThan(0);
  });

  test('reader bounds heads and bodies', () => {
    const long = `HTTP/1.1 200 OK\r\nx-a: ${'b'.repeat(5000)}`;
    expect(() => read(answer(long))).toThrow(BadResponse);
    expect(() => read(Buffer.from(long))).toThrow(BadResponse);
    const small = { head_bytes_max: 1000, body_bytes_max: 10 };
    const tooLarge = expect.objectContaining({ code: TOO_LARGE });
    expect(() => read(answer('HTTP/1.1 200 OK\r\ncontent-length: 11'), [], small)).toThrow(
      tooLarge,
    );
    expect(() => read(answer('HTTP/1.1 200 OK', 'a'.repeat(11)), [], small)).toThrow(tooLarge);
  });

  test('reader throws nothing but what it means to, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, begins) => {
        const bytes = begins
          ? answer('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked', noise)
          : noise;
        try {
          const { reader } = read(Buffer.from(bytes));
          reader.end();
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(BadResponse);
        }
      }),
    );
  });
});
