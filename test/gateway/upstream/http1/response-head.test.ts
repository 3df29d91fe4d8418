import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResponseHeads } from '../../../../src/gateway/upstream/http1/response-head.ts';

const name = fc.constantFrom(
  'Content-Length',
  'content-length',
  'Content-Type',
  'Date',
  'Connection',
  'Keep-Alive',
  'X-Request-Id',
  'X',
  'x ',
  '',
  ' folded',
  'x\n',
);
const value = fc.constantFrom(
  ' 7',
  '7',
  ' 12',
  ' keep-alive',
  ' close',
  ' a:b',
  ' timeout=5',
  '',
  ' \x01',
);
const field = fc
  .tuple(name, fc.constantFrom(':', ':', ':', ''), value)
  .map((parts) => parts.join(''));
const line = fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 429 ', 'HTTP/1.0 200 OK', 'HTTP/2 200');
const head = fc
  .tuple(line, fc.array(field, { maxLength: 6 }))
  .map(([first, fields]) => [first, ...fields].join('\r\n'));

function outcome(heads: ResponseHeads, text: string): unknown {
  try {
    const read = heads.read(text);
    return { ...read, headers: { ...read.headers } };
  } catch (thrown) {
    return String(thrown);
  }
}

test('ResponseHeads of one connection reads each head as if it came alone', () => {
  fc.assert(
    fc.property(fc.array(head, { minLength: 1, maxLength: 8 }), fc.boolean(), (texts, twice) => {
      const heads = new ResponseHeads();
      for (const text of twice ? texts.flatMap((one) => [one, one]) : texts) {
        expect(outcome(heads, text), text).toEqual(outcome(new ResponseHeads(), text));
      }
    }),
    { numRuns: 1000, seed: 21 },
  );
});

test('ResponseHeads reads a head that came before no second time', () => {
  const heads = new ResponseHeads();
  const text = 'HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 7';
  const first = heads.read(text);
  expect(heads.read(`${text}`)).toBe(first);
  expect(heads.read(`${text}1`).body).toEqual({ length: 71 });
});

test('ResponseHeads takes a length told several times alike, and nothing else that is none', () => {
  const body = (told: string) =>
    new ResponseHeads().read(`HTTP/1.1 200 OK\r\ncontent-length: ${told}`).body;
  for (const told of ['7', '7,7', '7 , 7', '7,\t7 ,7']) expect(body(told)).toEqual({ length: 7 });
  for (const told of ['', ',', '7,', '7,8', '7 7', '+7', '7;7', '1234567890123456', '0x7']) {
    expect(() => body(told), told).toThrow('length');
  }
});

test('ResponseHeads does not take the square of a length for one that is no number', () => {
  // Where it did, this would take minutes.
  const told = `1${' '.repeat(1_000_000)}1`;
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${told}`;
  expect(() => new ResponseHeads().read(head)).toThrow('length');
});
