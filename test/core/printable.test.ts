import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../src/core/printable.ts';

test('printable text can stand in a header, whatever was given', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(printable(text)).toMatch(/^[\x20-\x7e]{0,200}$/);
    }),
    { numRuns: 50 },
  );
});

test('printable text keeps what it can: ASCII as it is, our apostrophe as one', () => {
  expect(printable('the provider’s é')).toBe("the provider's ?");
  expect(printable('abcdef', 3)).toBe('abc');
});
