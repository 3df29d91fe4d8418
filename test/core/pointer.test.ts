import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/canonical.ts';
import {
  formatPointer,
  matchesPattern,
  mergePatch,
  overlaps,
  parsePointer,
  touchedPointers,
  valueAt,
} from '../../src/core/pointer.ts';

const json = fc.jsonValue() as fc.Arbitrary<Json>;

describe('pointers', () => {
  test('pointers survive formatting and parsing, also with ~ and /', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (tokens) => {
        expect(parsePointer(formatPointer(tokens))).toEqual(tokens);
      }),
    );
    expect(() => parsePointer('agents')).toThrow('not a JSON pointer');
  });

  test('valueAt finds members and never inherited ones', () => {
    const document = { agents: { x: { params: { 'a/b': 1 } } }, list: [1] };
    expect(valueAt(document, '/agents/x/params/a~1b')).toBe(1);
    expect(valueAt(document, '/agents/y')).toBeUndefined();
    expect(valueAt(document, '/constructor')).toBeUndefined();
    expect(valueAt(document, '/list/0')).toBeUndefined();
    expect(valueAt(document, '')).toBe(document);
  });

  test('overlaps is true for the same path and for ancestors only', () => {
    expect(overlaps('/a/b', '/a/b')).toBe(true);
    expect(overlaps('/a', '/a/b')).toBe(true);
    expect(overlaps('/a/bc', '/a/b')).toBe(false);
  });

  test('matchesPattern lets * stand for exactly one token', () => {
    expect(matchesPattern('/agents/*/adapter', '/agents/x/adapter')).toBe(true);
    expect(matchesPattern('/agents/*/adapter', '/agents/x/params/adapter')).toBe(false);
  });
});

describe('mergePatch', () => {
  test.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('mergePatch of %j with %j gives RFC 7396’s %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test('mergePatch changes neither input and is idempotent', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  test('mergePatch does not let a patch reach a prototype', () => {
    mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}') as Json);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('touchedPointers names every leaf that a patch writes', () => {
    expect(
      touchedPointers({ agents: { x: { adapter: 'upper', params: { top_p: null } } } }),
    ).toEqual(['/agents/x/adapter', '/agents/x/params/top_p']);
  });

  test('touchedPointers covers every difference that mergePatch makes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (a, b) => {
        const result = mergePatch(a, b);
        const touched = touchedPointers(b);
        for (const key of new Set([...Object.keys(a), ...Object.keys(result as object)])) {
          const pointer = formatPointer([key]);
          const same =
            JSON.stringify(valueAt(a, pointer)) === JSON.stringify(valueAt(result, pointer));
          expect(same || touched.some((other) => overlaps(other, pointer))).toBe(true);
        }
      }),
    );
  });
});
