import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../../src/core/canonical.ts';
import { digestSaid, digestTurns } from '../../../src/gateway/conversation/turn-digests.ts';

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
    { role: 'user', content: [{ source: 'hi', cache_control: { type: 'ephemeral' } }] },
  ];
  const plain = [{ role: 'user', content: [{ source: 'hi' }] }];
  expect(pairs(marked, 'cache_control')).toEqual(pairs(plain, 'cache_control'));
  expect(pairs(marked)).not.toEqual(pairs(plain));
});

test('digests know what was said whatever form it has, and tell its parts apart', () => {
  const of = (content: Json) => pairs([{ role: 'user', content }])[0];
  expect(of('hi')).toBe(of([{ type: 'text', text: 'hi' }]));
  expect(of([{ type: 'text', text: 'hi' }])).toBe(of([{ text: 'hi', annotations: [] }]));
  expect(of('hiho')).not.toBe(of([{ text: 'hi' }, { text: 'ho' }]));
  expect(of([{ text: 'hi' }, { text: 'ho' }])).not.toBe(of([{ text: 'ho' }, { text: 'hi' }]));
  expect(of(null)).not.toBe(of(''));
});

test('digestSaid tells texts apart that differ in one unit, and has none of nothing', () => {
  const text = fc.string({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(text, fc.nat(39), (said, where) => {
      const at = where % said.length;
      const unit = said.charCodeAt(at);
      const other = `${said.slice(0, at)}${String.fromCharCode(unit ^ 1)}${said.slice(at + 1)}`;
      expect(digestSaid(other)).not.toBe(digestSaid(said));
      expect(digestSaid([{ type: 'text', text: said }])).toBe(digestSaid(said));
    }),
  );
  expect([undefined, null, ''].map((nothing) => digestSaid(nothing))).toEqual(['', '', '']);
});
