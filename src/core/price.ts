import type { Tokens } from './call.ts';

/** What the policy says that a target's tokens cost, in USD a million. */
export interface PriceEntry {
  readonly input_usd: number;
  readonly output_usd: number;
  /** Of the prompt, read from the provider's cache; as dear as the rest where it is not said. */
  readonly cached_input_usd?: number | undefined;
  /** Of the prompt, written to the cache; as dear as the rest where it is not said. */
  readonly cache_write_usd?: number | undefined;
  /** Written to a cache that keeps it for an hour; as `cache_write_usd` where it is not said. */
  readonly cache_write_1h_usd?: number | undefined;
}

/**
 * The same in whole picodollars a token, which is a millionth of USD a million tokens: sums of
 * whole numbers are exact up to 9,000 USD a call, and one division at the end is rounded once.
 */
export interface Price {
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  readonly written_1h: number;
  readonly output: number;
}

const PICO = 1e12;
/** USD a million tokens have so many decimals at most; finer ones are rounded. */
const STEPS = 1e6;

export function priceFrom(entry: PriceEntry): Price {
  const { input_usd, output_usd, cached_input_usd = input_usd } = entry;
  const { cache_write_usd = input_usd, cache_write_1h_usd = cache_write_usd } = entry;
  return {
    input: Math.round(input_usd * STEPS),
    cached: Math.round(cached_input_usd * STEPS),
    written: Math.round(cache_write_usd * STEPS),
    written_1h: Math.round(cache_write_1h_usd * STEPS),
    output: Math.round(output_usd * STEPS),
  };
}

/**
 * USD of a call. `in` counts the whole prompt, cached and written tokens included, in the dialects
 * of both; counts that contradict each other never make a cost negative.
 */
export function costOf(price: Price, tokens: Tokens): number {
  const { cached, written = 0, written_1h = 0 } = tokens;
  const plain = Math.max(0, tokens.in - cached - written);
  const pico =
    plain * price.input +
    cached * price.cached +
    Math.max(0, written - written_1h) * price.written +
    written_1h * price.written_1h +
    tokens.out * price.output;
  return pico / PICO;
}

/** The sum of costs, each a whole number of picodollars. */
export function sumOfUsd(costs: readonly number[]): number {
  return costs.reduce((sum, usd) => sum + Math.round(usd * PICO), 0) / PICO;
}
