import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createRecencyIndex,
  type RecencyIndex,
} from '../../../src/gateway/conversation/recency-index.ts';

function entriesOf(index: RecencyIndex, key: string, newest: number): number[] {
  const found: number[] = [];
  index.newestFirst(key, newest, (sequence) => {
    found.push(sequence);
    return 'more';
  });
  return found;
}

describe('createRecencyIndex', () => {
  test('createRecencyIndex finds the entries that the ring holds, newest first', () => {
    const key = fc.constantFrom('a', 'b', 'c', null);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(key, { maxLength: 60 }), (max, keys) => {
        const index = createRecencyIndex(max);
        for (const [position, added] of keys.entries()) {
          if (added !== null) index.add(position + 1, added);
        }
        for (const asked of ['a', 'b', 'c', 'd']) {
          const wanted = keys
            .map((added, position) => ({ added, sequence: position + 1 }))
            .filter(({ added, sequence }) => added === asked && sequence > keys.length - max)
            .map(({ sequence }) => sequence)
            .reverse();
          expect(entriesOf(index, asked, keys.length)).toEqual(wanted);
        }
      }),
    );
  });

  test('createRecencyIndex shows no more once enough has been seen', () => {
    const index = createRecencyIndex(9);
    for (let sequence = 1; sequence <= 5; sequence += 1) index.add(sequence, 'a');
    const seen: number[] = [];
    index.newestFirst('a', 5, (sequence) => {
      seen.push(sequence);
      return seen.length === 2 ? 'enough' : 'more';
    });
    expect(seen).toEqual([5, 4]);
  });

  test('createRecencyIndex tells 100,000 similar keys apart', () => {
    const max = 100_000;
    const index = createRecencyIndex(max);
    for (let sequence = 1; sequence <= max; sequence += 1) index.add(sequence, `call_${sequence}`);
    let wrong = 0;
    for (let sequence = 1; sequence <= max; sequence += 1) {
      const found = entriesOf(index, `call_${sequence}`, max);
      if (found.length !== 1 || found[0] !== sequence) wrong += 1;
    }
    expect(wrong).toBe(0);
  });
});
