import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/canonical.ts';
import { digestTurns } from '../../src/gateway/turn-digests.ts';

const pairs = (turns: readonly Json[], ignored: string | null = null) => {
  const { count, high, low } = digestTurns(turns, ignored);
  return Array.from({ length: count }, (_, at) => `${high[at]} ${low[at]}`);
};
const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;

test('digests of equal turns are equal, and a longer list begins with those of a shorter', () => {
  fc.assert(
    fc.property(fc.array(json), fc.array(json), (first, more) => {
      const copy = JSON.parse(JSON.stringify(first)) as Json[];
      expect(pairs([...copy, ...more]).slice(0, first.length)).toEqual(pairs(first));
    }),
  );
});

test('digests of turns that differ anywhere differ', () => {
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 3 }), (turns) => {
      const text = JSON.stringify(turns);
      const last = pairs(turns).at(-1) as string;
      expect(seen.get(last) ?? text).toBe(text);
      seen.set(last, text);
    }),
    { numRuns: 3000 },
  );
});

test('digests leave a member out that says nothing of the turn', () => {
  const marked = [
    { role: 'user', content: [{ text: 'hi', cache_control: { type: 'ephemeral' } }] },
  ];
  const plain = [{ role: 'user', content: [{ text: 'hi' }] }];
  expect(pairs(marked, 'cache_control')).toEqual(pairs(plain, 'cache_control'));
  expect(pairs(marked)).not.toEqual(pairs(plain));
});
