import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import { decodeLine, encodeLine, NEWLINE } from '../../src/events/line.ts';
import { readLines } from '../../src/events/segments.ts';

const record = fc
  .record({ type: fc.constantFrom('call', 'feedback'), id: fc.string({ unit: 'binary' }) })
  .map((value) => value as unknown as JournalRecord);

describe('encodeLine', () => {
  test('encodeLine writes checksum, space, JSON and one newline', () => {
    const line = encodeLine({ type: 'report', id: 'a\nb' } as unknown as JournalRecord);
    expect(line.toString()).toMatch(/^[0-9a-f]{8} \{"type":"report","id":"a\\nb"\}\n$/);
  });

  test('encodeLine makes a line that decodeLine reads back, whatever the text', () => {
    fc.assert(
      fc.property(record, (given) => {
        const line = encodeLine(given);
        expect(line.indexOf(NEWLINE)).toBe(line.length - 1);
        const read = decodeLine(line.subarray(0, -1)).record;
        expect(read).toEqual(JSON.parse(JSON.stringify(given)));
      }),
    );
  });
});

describe('decodeLine', () => {
  test('decodeLine refuses every line with one byte changed', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
        const line = Buffer.from(encodeLine(given).subarray(0, -1));
        const index = at % line.length;
        line[index] = (line[index] ?? 0) ^ change;
        expect(decodeLine(line).record).toBeNull();
      }),
    );
  });

  test('decodeLine says why of garbage, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const { record: read, reason } = decodeLine(bytes);
        expect(read === null).toBe(reason !== null);
      }),
    );
  });
});

describe('readLines', () => {
  const options = { name: 'w-1.log', offset: 0, records_max: 1000, live: true };

  test('readLines gives the same records wherever the file is split while it is written', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), fc.nat(), (records, at) => {
        const file = Buffer.concat(records.map(encodeLine));
        const split = file.length === 0 ? 0 : at % file.length;
        const first = readLines(file.subarray(0, split), true, options);
        const rest = file.subarray(first.offset);
        const second = readLines(rest, true, { ...options, offset: first.offset });
        expect([...first.dead, ...second.dead]).toEqual([]);
        expect(second.offset).toBe(file.length);
        const read = [...first.records, ...second.records].map((line) => line.record);
        expect(read).toEqual(JSON.parse(JSON.stringify(records)));
      }),
    );
  });

  test('readLines loses only the lines that damage touches, and accounts for every byte', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        (records, at, garbage) => {
          const lines = records.map(encodeLine);
          const file = Buffer.concat(lines);
          const from = at % file.length;
          const damaged = Buffer.from(file);
          damaged.set(garbage.subarray(0, file.length - from), from);
          const touched = new Set<number>();
          for (let index = from; index < Math.min(file.length, from + garbage.length); index += 1) {
            if (file[index] !== damaged[index]) touched.add(lineAt(lines, index));
          }
          const read = readLines(damaged, true, { ...options, live: false });
          expect(read.offset).toBe(file.length);
          const kept = new Set(read.records.map((line) => JSON.stringify(line.record)));
          for (const [index, given] of records.entries()) {
            // Damage to a newline joins its line with the next one.
            const joined = touched.has(index) || touched.has(index - 1);
            if (!joined) expect(kept.has(JSON.stringify(given))).toBe(true);
          }
          if (touched.size > 0) expect(read.dead.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('readLines waits for a bad last line of a live file and cuts that of a dead one', () => {
    const good = encodeLine({ type: 'report', id: 'good' } as unknown as JournalRecord);
    const bad = Buffer.from('0000000');
    const file = Buffer.concat([good, bad]);
    const live = readLines(file, true, options);
    expect(live).toMatchObject({ offset: good.length, dead: [], end: true });
    const dead = readLines(file, true, { ...options, live: false });
    expect(dead.offset).toBe(file.length);
    expect(dead.dead).toMatchObject([{ offset: good.length, length: 7 }]);
  });

  test('readLines sets a bad line aside once another follows it, live or not', () => {
    const good = encodeLine({ type: 'report', id: 'good' } as unknown as JournalRecord);
    const file = Buffer.concat([Buffer.from('00000000 {}\n'), good]);
    const read = readLines(file, true, options);
    expect(read.dead).toMatchObject([{ offset: 0, length: 12, reason: 'checksum does not match' }]);
    expect(read.records).toHaveLength(1);
  });
});

function lineAt(lines: readonly Buffer[], index: number): number {
  let end = 0;
  return lines.findIndex((line) => {
    end += line.length;
    return index < end;
  });
}
