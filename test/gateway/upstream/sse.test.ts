import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sseData } from '../../../src/core/sse-event.ts';
import {
  EVENT_BYTES_MAX,
  encodeEvent,
  hasData,
  Splitter,
} from '../../../src/gateway/upstream/sse.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

/** Cuts bytes at the given places, which may coincide. */
const cutAt = (bytes: Uint8Array, places: readonly number[]) => {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
};
const split = (chunks: readonly Uint8Array[]) => {
  const splitter = new Splitter();
  const events = chunks.flatMap((chunk) => [...splitter.push(chunk)]);
  return { events, rest: splitter.rest() };
};

const word = fc.constantFrom('a', 'größe', '🐝', '{"x":1}', ' ', ':', 'data');
const line = fc.oneof(
  fc
    .tuple(fc.constantFrom('data: ', 'data:', 'event: ', ': ', 'id: '), fc.array(word))
    .map(([field, words]) => field + words.join('')),
  fc.constantFrom('data', ':', 'x'),
);
const ending = fc.constantFrom('\n', '\r', '\r\n');

describe('splitter', () => {
  test('splitter finds the same events wherever the bytes are cut', () => {
    const event = fc.array(line, { minLength: 1, maxLength: 4 });
    const streams = fc.tuple(fc.array(event), ending, fc.boolean());
    fc.assert(
      fc.property(streams, fc.array(fc.nat()), ([events, eol, mark], places) => {
        const text = events.map((lines) => lines.map((one) => one + eol).join('') + eol).join('');
        const found = split(cutAt(bytesOf((mark ? '\uFEFF' : '') + text), places));
        expect(found.rest).toBeNull();
        expect(found.events.map(sseData)).toEqual(
          events.map((lines) => sseData(bytesOf(lines.join('\n')))),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('splitter keeps every byte of LF streams', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.array(fc.nat()), (lines, places) => {
        const text = `${lines.join('\n\n')}\n\n`;
        const found = split(cutAt(bytesOf(text), places));
        expect(found.events.map(textOf).join('')).toBe(text);
      }),
    );
  });

  test('splitter ends the lines of every event in LF, and changes no other byte', () => {
    const event = fc.array(line, { minLength: 1, maxLength: 4 });
    const ends = fc.array(fc.tuple(event, ending));
    fc.assert(
      fc.property(ends, fc.array(fc.nat()), (events, places) => {
        const written = (eol: (own: string) => string) =>
          events.map(([lines, own]) => [...lines, ''].map((one) => one + eol(own)).join(''));
        const found = split(cutAt(bytesOf(written((own) => own).join('')), places));
        expect(found.events.map(textOf)).toEqual(written(() => '\n'));
      }),
    );
  });

  test('splitter copes with any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 14 }), fc.array(fc.nat()), (bytes, places) => {
        const whole = split([bytes]);
        const cut = split(cutAt(bytes, places));
        expect(cut.events.map(sseData)).toEqual(whole.events.map(sseData));
      }),
    );
  });

  test('splitter gives an event out at the last byte of its blank line', () => {
    const splitter = new Splitter();
    expect(splitter.push(bytesOf('data: a\r\n')).length).toBe(0);
    expect(splitter.push(bytesOf('\r')).map(textOf)).toEqual(['data: a\n\n']);
    expect(splitter.push(bytesOf('\ndata: b\n\n')).map(textOf)).toEqual(['data: b\n\n']);
  });

  test('splitter holds back what no blank line has ended', () => {
    const { events, rest } = split([bytesOf('data: a\n\ndata: b\n')]);
    expect(events.map(textOf)).toEqual(['data: a\n\n']);
    expect(rest && textOf(rest)).toBe('data: b\n');
  });

  test('splitter refuses an event that does not end', () => {
    const splitter = new Splitter();
    const part = Buffer.alloc(1024 * 1024, 'x');
    expect(() => {
      for (let bytes = 0; bytes <= EVENT_BYTES_MAX; bytes += part.length) splitter.push(part);
    }).toThrow(RangeError);
  });
});

test('hasData tells an event from a comment', () => {
  expect(hasData(bytesOf('data: x\n\n'))).toBe(true);
  expect(hasData(bytesOf(': data: x\n\n'))).toBe(false);
  expect(hasData(bytesOf(': ping\r\rdata'))).toBe(true);
  expect(hasData(bytesOf('event: x\r\ndata:x\r\n\r\n'))).toBe(true);
  expect(hasData(bytesOf('database: x\n\n'))).toBe(false);
});

test('encodeEvent writes one event that reads back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const event = encodeEvent(value);
      expect(JSON.parse(sseData(event) ?? '')).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('what encodeEvent writes reads back event for event, cut anywhere', () => {
  const name = fc.option(fc.constantFrom('error', 'message_stop', 'response.completed'));
  const written = fc.array(fc.tuple(fc.jsonValue(), name), { maxLength: 6 });
  fc.assert(
    fc.property(written, fc.array(fc.nat()), (events, places) => {
      const bytes = events.map(([value, named]) => encodeEvent(value, named ?? undefined));
      const found = split(cutAt(Buffer.concat(bytes), places));
      expect(found.rest).toBeNull();
      expect(found.events.map(textOf)).toEqual(bytes.map(textOf));
      const values = found.events.map((event) => JSON.parse(sseData(event) ?? ''));
      expect(values).toEqual(events.map(([value]) => JSON.parse(JSON.stringify(value))));
    }),
    { numRuns: 300 },
  );
});
