import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Latest } from '../../src/core/latest.ts';

test('Latest keeps the latest ones, as many as it may', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 8 }), (values, max) => {
      const latest = new Latest<number>(max);
      for (const value of values) latest.keep(value);
      const byValue = (left: number, right: number) => left - right;
      expect([...latest.all].sort(byValue)).toEqual(values.slice(-max).sort(byValue));
    }),
  );
});
