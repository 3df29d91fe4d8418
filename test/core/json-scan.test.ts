import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nestsDeeper } from '../../src/core/json-scan.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('nestsDeeper counts as whoever walks the parsed value, whatever its texts hold', () => {
  const text = fc.string({ unit: fc.constantFrom('[', '{', ']', '}', '"', '\\', 'a') });
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium' },
      text,
      fc.integer(),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(text, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.nat(6), fc.boolean(), (value, max, spaced) => {
      const bytes = Buffer.from(JSON.stringify(value, null, spaced ? 1 : 0));
      expect(nestsDeeper(bytes, max)).toBe(depthOf(value) > max);
    }),
  );
});

test('nestsDeeper leaves what is no JSON to whoever parses it', () => {
  for (const text of ['', '"', '"[[[[', '}}}}', '[', '\\']) {
    expect(nestsDeeper(Buffer.from(text), 2)).toBe(false);
  }
  expect(nestsDeeper(Buffer.from('[[['), 2)).toBe(true);
});
