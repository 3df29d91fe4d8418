import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/canonical.ts';
import { JsonTexts } from '../../src/core/json-texts.ts';

test('JsonTexts writes what JSON.stringify writes, however often it is asked', () => {
  const values = fc.array(fc.jsonValue() as fc.Arbitrary<Json>, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(values, fc.array(fc.nat(5), { maxLength: 20 }), (all, asked) => {
      const texts = new JsonTexts();
      for (const value of all) Object.freeze(value);
      for (const nth of asked) {
        const value = all[nth % all.length] as Json;
        expect(texts.of(value)).toBe(JSON.stringify(value));
      }
    }),
  );
});

test('JsonTexts believes nothing that may change', () => {
  const texts = new JsonTexts();
  const open = { a: 1 };
  const shallow = Object.freeze({ a: { b: 1 } });
  expect([texts.of(open), texts.of(shallow)]).toEqual(['{"a":1}', '{"a":{"b":1}}']);
  open.a = 2;
  shallow.a.b = 2;
  expect([texts.of(open), texts.of(shallow)]).toEqual(['{"a":2}', '{"a":{"b":2}}']);
});
