import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/core/canonical.ts';
import { COLUMNS, createFeaturizer } from '../../../src/core/ope/features.ts';

function vectorOf(context: Json | undefined, featurizer = createFeaturizer()): Float32Array {
  const into = new Float32Array(COLUMNS);
  featurizer.write(context, into, 0);
  return into;
}

describe('createFeaturizer', () => {
  test('featurizer never throws and gives numbers, whatever JSON a context is', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), (contexts) => {
        const featurizer = createFeaturizer();
        for (const context of contexts) {
          const vector = vectorOf(context as Json, featurizer);
          expect(vector.every((value) => !Number.isNaN(value))).toBe(true);
          expect(vectorOf(context as Json, featurizer)).toEqual(vector);
        }
      }),
    );
  });

  test('featurizer gives each number of a list and each value of a text a column', () => {
    const featurizer = createFeaturizer();
    expect([...vectorOf([3, 4], featurizer).subarray(0, 3)]).toEqual([3, 4, 0]);
    const red = vectorOf({ colour: 'red' }, featurizer);
    const blue = vectorOf({ colour: 'blue' }, featurizer);
    expect(red.indexOf(1)).not.toBe(blue.indexOf(1));
    expect(featurizer.used()).toBe(4);
    expect(vectorOf(undefined).every((value) => value === 0)).toBe(true);
  });

  test('featurizer leaves room for others where a text is another in each row', () => {
    const featurizer = createFeaturizer();
    for (let row = 0; row < 500; row += 1) vectorOf({ user: `u${row}` }, featurizer);
    const late = vectorOf({ late: 7 }, featurizer);
    expect([...late].filter((value) => value === 7)).toHaveLength(1);
  });

  test('featurizer remembers a path and a value by what they are, not by the order of keys', () => {
    const featurizer = createFeaturizer();
    const first = vectorOf({ a: { b: 'x', c: 2 }, d: true }, featurizer);
    expect(vectorOf({ d: true, a: { c: 2, b: 'x' } }, featurizer)).toEqual(first);
    expect(vectorOf({ a: { b: 'y', c: 2 }, d: true }, featurizer)).not.toEqual(first);
  });

  test('featurizer keeps no more paths than it may where keys are other ones in each row', () => {
    const featurizer = createFeaturizer();
    for (let row = 0; row < 25_000; row += 1) vectorOf({ [`k${row}`]: 1 }, featurizer);
    const late = vectorOf({ k24999: 1 }, featurizer);
    expect([...late].filter((value) => value !== 0)).toHaveLength(1);
    expect(vectorOf({ k24999: 1 }, featurizer)).toEqual(late);
  });
});
