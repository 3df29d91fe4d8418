import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shapeProblem } from '../../src/core/json-scan.ts';

const deep = (bytes: Buffer, depth: number): boolean =>
  shapeProblem(bytes, { depth, parts: 1e9 }) === 'deep';
const many = (bytes: Buffer, parts: number): boolean =>
  shapeProblem(bytes, { depth: 1e9, parts }) === 'many';

function partsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const own = 1 + (Array.isArray(value) ? 0 : members.length);
  return members.reduce<number>((sum, member) => sum + partsOf(member), own);
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('shapeProblem counts as whoever walks the parsed value, whatever its texts hold', () => {
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
      expect(deep(bytes, max)).toBe(depthOf(value) > max);
      expect(many(bytes, max)).toBe(partsOf(value) > max);
    }),
  );
});

test('shapeProblem leaves what is no JSON to whoever parses it', () => {
  for (const text of ['', '"', '"[[[[', '}}}}', '[', '\\']) {
    expect(deep(Buffer.from(text), 2)).toBe(false);
  }
  expect(deep(Buffer.from('[[['), 2)).toBe(true);
});
