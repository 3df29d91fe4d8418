import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOfWord, WORDS_MAX, wordsOf } from '../../../src/core/signals/words.ts';

const hashes = (text: string, chars = 1000): number[] => {
  const { hashes: all, count } = wordsOf(text, chars);
  return all.slice(0, count);
};

test('wordsOf reads words without case, marks and apostrophes', () => {
  expect(hashes('Don’t — STOP, (now)!')).toEqual(['dont', 'stop', 'now'].map(hashOfWord));
  expect(hashes("don't")).toEqual(hashes('dont'));
  expect(hashes('')).toEqual([]);
  expect(hashes('¿…? 👋')).toEqual([]);
});

test('wordsOf passes over code in fences and between back ticks', () => {
  expect(hashes('see `if not in` and\n```py\nfor x in y:\n```\nthen')).toEqual(
    ['see', 'and', 'then'].map(hashOfWord),
  );
  expect(hashes('a ``` b c')).toEqual([hashOfWord('a')]);
  expect(hashes('it`s late')).toEqual(['it', 's', 'late'].map(hashOfWord));
});

test('wordsOf takes each character of Chinese and Japanese as a word', () => {
  expect(hashes('你好。')).toHaveLength(2);
  expect(hashes('안녕하세요 여러분')).toHaveLength(2);
});

test('wordsOf reads both ends of a long text and says where the second begins', () => {
  const text = `alpha ${'x '.repeat(5000)}omega`;
  const { count, tail_from, hashes: all } = wordsOf(text, 20);
  expect(all[0]).toBe(hashOfWord('alpha'));
  expect(all[count - 1]).toBe(hashOfWord('omega'));
  expect(tail_from).toBeGreaterThan(0);
  expect(tail_from).toBeLessThan(count);
});

test('wordsOf never throws and never reads more than its bounds, whatever the text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.integer({ min: 1, max: 200 }),
      (text, chars) => {
        const { count, letters, signs, tail_from } = wordsOf(text, chars);
        expect(count).toBeLessThanOrEqual(WORDS_MAX);
        expect(tail_from).toBeLessThanOrEqual(count);
        const seen = letters.reduce((sum, one) => sum + one, signs);
        // Lower case may be longer than what it was made of: İ becomes two.
        expect(seen).toBeLessThanOrEqual(Math.min(text.length, chars * 2) * 3);
      },
    ),
  );
});

test('wordsOf takes no longer for a megabyte than for its window', () => {
  for (const unit of ['a', '`', '```', 'ab ', '你', '((((', "'", '\n']) {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
    const begun_ms = performance.now();
    for (let round = 0; round < 20; round += 1) wordsOf(text, 160);
    expect(performance.now() - begun_ms).toBeLessThan(200);
  }
});
