import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachRow, LINE_CHARS_MAX } from '../../src/lab/rows.ts';
import { memoryIo } from './lab-kit.ts';

async function rowsOf(text: string, chunk = 1 << 16) {
  const { io, err } = memoryIo({ f: text }, chunk);
  const taken: [number, unknown][] = [];
  const counts = await eachRow(
    io,
    'f',
    (value) => (typeof value.n === 'number' ? { n: value.n } : { bad: 'n is no number' }),
    (row, line) => taken.push([line, row.n]),
  );
  return { taken, err, counts };
}

describe('eachRow', () => {
  test('eachRow gives each row with its line, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        async (numbers, chunk, lineEnd) => {
          const text = numbers.map((n) => JSON.stringify({ n })).join(lineEnd);
          const { taken, counts } = await rowsOf(text, chunk);
          expect(taken.map(([, n]) => n)).toEqual(numbers);
          expect(counts).toEqual({ rows: numbers.length, bad: 0 });
        },
      ),
    );
  });

  test('eachRow never throws on what is no row, and counts it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' }), { maxLength: 12 }),
        async (texts) => {
          const lines = texts.map((text) => text.replaceAll('\n', ' '));
          const { taken, counts } = await rowsOf([...lines, '{"n":1}'].join('\n'));
          expect(taken.at(-1)).toEqual([lines.length + 1, 1]);
          const filled = lines.filter(
            (line, index) => (index === 0 ? line.replace(/^\uFEFF/, '') : line).trim() !== '',
          );
          expect(counts.rows + counts.bad).toBeGreaterThanOrEqual(filled.length);
        },
      ),
    );
  });

  test('eachRow tells the first bad rows by line, then their count', async () => {
    const text = `${'nonsense\n'.repeat(3)}[]\n{"n":"x"}\n{}\n{"n":1}`;
    const { err, counts } = await rowsOf(text);
    expect(counts).toEqual({ rows: 1, bad: 6 });
    expect(err).toEqual([
      'f:1: no JSON; the row is left out',
      'f:2: no JSON; the row is left out',
      'f:3: no JSON; the row is left out',
      'f:4: no JSON object; the row is left out',
      'f:5: n is no number; the row is left out',
      'f: 6 rows in all were left out',
    ]);
  });

  test('eachRow leaves a line out that is longer than the limit, and goes on', async () => {
    const long = `{"n":1,"pad":"${'x'.repeat(LINE_CHARS_MAX)}"}`;
    const { taken, counts, err } = await rowsOf(`{"n":1}\n${long}\n{"n":3}`);
    expect(taken).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(counts.bad).toBe(1);
    expect(err[0]).toContain(`longer than ${LINE_CHARS_MAX} characters`);
  });
});
