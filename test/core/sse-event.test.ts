import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sseData } from '../../src/core/sse-event.ts';

const dataOf = (text: string) => sseData(Buffer.from(text));

describe('sse event', () => {
  test.each([
    ['data: {"a":1}\n\n', '{"a":1}'],
    ['data: {"a":1}\r\n\r\n', '{"a":1}'],
    ['data: {"a":1}\r\r', '{"a":1}'],
    ['data:{"a":1}\n\n', '{"a":1}'],
    ['data:  two spaces\n\n', ' two spaces'],
    [': ping\n\n', null],
    ['event: message\nid: 3\ndata: x\n\n', 'x'],
    ['data: a\n: comment\ndata: b\n\n', 'a\nb'],
    ['data: a\r\ndata: b\r\n\r\n', 'a\nb'],
    ['data\n\n', ''],
    ['data: \n\n', ''],
    ['database: x\n\n', null],
    ['\n', null],
    ['data: [DONE]', '[DONE]'],
  ])('sse event reads the data of %j', (text, data) => {
    expect(dataOf(text)).toBe(data);
  });

  test('sse event gives back every text that was written as data, with any line end', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ''));
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        fc.constantFrom('', ': ping', 'event: x'),
        (lines, end, other) => {
          const head = other === '' ? '' : other + end;
          const text = head + lines.map((each) => `data: ${each}${end}`).join('') + end;
          // Lone surrogates cannot be written as UTF-8; their bytes read as U+FFFD.
          expect(dataOf(text)).toBe(Buffer.from(lines.join('\n')).toString());
        },
      ),
    );
  });
});
