import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIdTable, hash53, hash53From, hashState } from '../../../src/core/ope/hash.ts';

describe('createIdTable', () => {
  test('idTable finds what was added, refuses it twice and knows nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 200 }), fc.string(), (ids, other) => {
        const table = createIdTable(4);
        for (const [row, id] of ids.entries()) expect(table.add(id, row)).toBe(true);
        for (const [row, id] of ids.entries()) {
          expect(table.find(id)).toBe(row);
          expect(table.add(id, 999)).toBe(false);
        }
        expect(table.find(other)).toBe(ids.indexOf(other));
      }),
    );
  });
});

describe('hash53From', () => {
  test('hash53From goes on where a beginning ended', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (beginning, rest) => {
        expect(hash53From(hashState(beginning), rest)).toBe(hash53(beginning + rest));
      }),
    );
  });
});
