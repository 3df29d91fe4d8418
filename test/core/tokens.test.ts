import { expect, test } from 'vitest';
import { sumOfTokens } from '../../src/core/tokens.ts';

const PLAIN = { in: 10, cached: 4, out: 3, estimated: false };

test('sum of tokens adds each count, and has what was written only where something was', () => {
  expect(sumOfTokens(PLAIN, PLAIN)).toEqual({ in: 20, cached: 8, out: 6, estimated: false });
  const written = { ...PLAIN, written: 2, written_1h: 1 };
  expect(sumOfTokens(written, PLAIN)).toEqual({
    in: 20,
    cached: 8,
    written: 2,
    written_1h: 1,
    out: 6,
    estimated: false,
  });
});

test('sum of tokens is an estimate where one of them is', () => {
  expect(sumOfTokens(PLAIN, { ...PLAIN, estimated: true }).estimated).toBe(true);
});
