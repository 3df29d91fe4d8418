import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BAD_CODING,
  type Coding,
  codingOf,
  Unpacking,
} from '../../../src/gateway/upstream/content-coding.ts';
import { until } from '../../kit/until.ts';

const PACKERS: readonly (readonly [string, Coding, (bytes: Buffer) => Buffer])[] = [
  ['gzip', 'gzip', gzipSync],
  ['deflate', 'deflate', deflateSync],
  ['deflate without its header', 'deflate', deflateRawSync],
  ['br', 'br', brotliCompressSync],
  ['zstd', 'zstd', zstdCompressSync],
];

/** An unpacking between a connection and a reader that the test plays. */
const unpacking = (coding: Coding, bytes_max = 1_000_000, pause_at = 0) => {
  const parts: Buffer[] = [];
  const ended: (Error | null)[] = [];
  const said: string[] = [];
  const sending = {
    abort: () => void said.push('abort'),
    pause: () => void said.push('pause'),
    resume: () => void said.push('resume'),
  };
  const one: Unpacking = new Unpacking(coding, bytes_max, sending, {
    data(bytes) {
      parts.push(Buffer.from(bytes));
      if (parts.length === pause_at) one.pause();
    },
    unpacked: () => void ended.push(null),
    broken: (error) => void ended.push(error),
  });
  const text = () => Buffer.concat(parts).toString();
  const over = async () => {
    await until(() => ended.length > 0, { every_ms: 1, what: 'the end' });
    return ended;
  };
  return { one, text, over, ended, said };
};

const codeOf = (error: Error | null | undefined) => (error as { code?: unknown } | null)?.code;

test.each([
  [{}, null],
  [{ 'content-encoding': '' }, null],
  [{ 'content-encoding': 'identity' }, null],
  [{ 'content-encoding': 'GZip' }, 'gzip'],
  [{ 'content-encoding': 'x-gzip' }, 'gzip'],
  [{ 'content-encoding': 'br' }, 'br'],
  [{ 'content-encoding': 'gzip, br' }, 'unknown'],
  [{ 'content-encoding': ['gzip', 'br'] }, 'unknown'],
  [{ 'content-encoding': 'toString' }, 'unknown'],
  [{ 'content-encoding': 'compress' }, 'unknown'],
])('the coding of %j is %s', (headers, coding) => {
  expect(codingOf(headers)).toBe(coding);
});

describe.each(PACKERS)('an answer packed as %s', (_name, coding, pack) => {
  test('is unpacked, however it is split', async () => {
    const splits = fc.array(fc.nat(400), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 3000 }), splits, async (text, cuts) => {
        const packed = pack(Buffer.from(text));
        const { one, text: got, over } = unpacking(coding);
        const at = [0, ...cuts.sort((left, right) => left - right), packed.length];
        for (let index = 1; index < at.length; index += 1) {
          one.push(packed.subarray(at[index - 1], at[index]));
        }
        one.end();
        expect(await over()).toEqual([null]);
        expect(got()).toBe(text);
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  test('that ends amid its bytes is as one whose connection was cut', async () => {
    const packed = pack(Buffer.from('hello '.repeat(50)));
    const { one, over } = unpacking(coding);
    one.push(packed.subarray(0, packed.length - 2));
    one.end();
    const [error] = await over();
    expect([error instanceof Error, codeOf(error)]).toEqual([true, undefined]);
  });

  test('is given up at its limit, and its decoder with it', async () => {
    const { one, text, over } = unpacking(coding, 100_000);
    one.push(pack(Buffer.alloc(50_000_000)));
    one.end();
    const [error] = await over();
    expect(codeOf(error)).toBe('RESPONSE_TOO_LARGE');
    expect(text().length).toBeLessThanOrEqual(100_000);
  });

  test('is read no further while its reader pauses', async () => {
    const { one, text, over, ended, said } = unpacking(coding, 2_000_000, 2);
    one.push(pack(Buffer.alloc(1_000_000, 'a')));
    one.end();
    await until(() => said.includes('pause'), { every_ms: 1, what: 'the pause' });
    const held = text().length;
    const other = unpacking(coding, 2_000_000);
    other.one.push(pack(Buffer.alloc(1_000_000, 'b')));
    other.one.end();
    await other.over();
    expect([text().length, ended]).toEqual([held, []]);
    one.resume();
    expect(await over()).toEqual([null]);
    expect(text()).toBe('a'.repeat(1_000_000));
  });
});

test('an answer that is not what it says it is is malformed', async () => {
  for (const coding of ['gzip', 'deflate', 'br', 'zstd'] as const) {
    const { one, over } = unpacking(coding);
    one.push(Buffer.from('{"id":"chatcmpl-1","choices":[]}'));
    one.end();
    expect(codeOf((await over())[0]), coding).toBe(BAD_CODING);
  }
});

test('an answer of no bytes is empty, whatever its coding', async () => {
  const { one, text, over } = unpacking('gzip');
  one.end();
  expect(await over()).toEqual([null]);
  expect(text()).toBe('');
});

test('what came before a connection broke is given on before that is told', async () => {
  const { one, text, over } = unpacking('gzip');
  const packed = gzipSync('x'.repeat(1000));
  one.pause();
  one.push(packed.subarray(0, packed.length - 8));
  one.fail(new Error('reset'));
  one.resume();
  expect((await over())[0]?.message).toBe('reset');
  expect(text()).toBe('x'.repeat(1000));
});

test('nothing is heard of an answer that was given up', async () => {
  const { one, said, ended, text } = unpacking('gzip');
  one.push(gzipSync('x'.repeat(1000)));
  one.abort();
  one.end();
  const other = unpacking('gzip');
  other.one.push(gzipSync('y'));
  other.one.end();
  await other.over();
  expect([said, ended, text()]).toEqual([['abort'], [], '']);
});

test('a window of more than 8 MiB is refused', async () => {
  // A frame of no known size whose window is 2^27 bytes (RFC 8878 §3.1.1.1.2).
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3]);
  const { one, over } = unpacking('zstd');
  one.push(Buffer.concat([head, Buffer.from([0x01, 0x00, 0x00])]));
  one.end();
  expect(codeOf((await over())[0])).toBe(BAD_CODING);
});
