import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costOf, priceFrom, sumOfUsd } from '../../src/core/price.ts';

const SONNET = priceFrom({
  input_usd: 3,
  output_usd: 15,
  cached_input_usd: 0.3,
  cache_write_usd: 3.75,
  cache_write_1h_usd: 6,
});

test('price counts what was read from and written to the cache at its own price', () => {
  const tokens = { in: 10_000, cached: 6000, written: 3000, written_1h: 1000, out: 500 };
  // 1,000 plain at 3, 6,000 read at 0.3, 2,000 written at 3.75, 1,000 for an hour at 6, 500 out.
  expect(costOf(SONNET, { ...tokens, estimated: false })).toBe(0.0258);
});

test('price takes cached and written tokens as plain ones where it says nothing of them', () => {
  const price = priceFrom({ input_usd: 2, output_usd: 8 });
  const tokens = { in: 1000, cached: 400, written: 300, out: 100, estimated: false };
  expect(costOf(price, tokens)).toBe(0.0028);
});

test('price never turns counts that contradict each other into a gain', () => {
  expect(costOf(SONNET, { in: 5, cached: 100, out: 0, estimated: false })).toBe(0.00003);
});

/** USD a million tokens as the policy writes them: up to six decimals. */
const usd = fc.integer({ min: 0, max: 1_000_000_000 }).map((micro) => micro / 1e6);
const count = fc.nat(2_000_000);
const prices = fc.tuple(usd, usd, usd, usd);
const counts = fc.tuple(count, count, count, count);

test('price is the nearest number to the exact cost, for any prices and counts', () => {
  fc.assert(
    fc.property(prices, counts, ([a, b, c, d], [plain, cached, written, out]) => {
      const entry = { input_usd: a, output_usd: b, cached_input_usd: c, cache_write_usd: d };
      const tokens = { in: plain + cached + written, cached, written, out, estimated: false };
      const micro = (value: number) => BigInt(Math.round(value * 1e6));
      const exact =
        BigInt(plain) * micro(a) +
        BigInt(cached) * micro(c) +
        BigInt(written) * micro(d) +
        BigInt(out) * micro(b);
      expect(costOf(priceFrom(entry), tokens)).toBe(Number(exact) / 1e12);
    }),
    { seed: 6 },
  );
});

test('price adds costs up without what floating point would add', () => {
  expect(sumOfUsd([0.1, 0.2])).toBe(0.3);
  expect(sumOfUsd(Array.from({ length: 10 }, () => 0.000001))).toBe(0.00001);
});
