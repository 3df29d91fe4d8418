import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { didYouMean, nearest } from '../../src/config/suggest.ts';

describe('nearest', () => {
  test('finds the word that was meant, and none where nothing is like it', () => {
    expect(nearest('ttl_s', ['mode', 'ttl_ms'])).toBe('ttl_ms');
    expect(nearest('Promt', ['params', 'prompt'])).toBe('prompt');
    expect(nearest('zebra', ['mode', 'ttl_ms'])).toBeNull();
  });

  test('finds a word in which one letter is missing', () => {
    const word = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(word, fc.nat(11), (meant, at) => {
        const typed = meant.slice(0, at % meant.length) + meant.slice((at % meant.length) + 1);
        expect(nearest(typed, ['0123456789', meant])).toBe(meant);
      }),
    );
  });
});

describe('didYouMean', () => {
  test('lists what there is where nothing is near, at most a dozen', () => {
    expect(didYouMean('zebra', ['a-one', 'b-two'])).toBe('known: a-one, b-two');
    expect(didYouMean('zebra', [])).toBe('there are none');
    const many = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    expect(didYouMean('zebra', many)).toMatch(/name-11, …$/);
  });
});
