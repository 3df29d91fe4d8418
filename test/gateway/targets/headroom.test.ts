import { describe, expect, test } from 'vitest';
import { Headroom } from '../../../src/gateway/targets/headroom.ts';

const seen = (headers: Readonly<Record<string, string>>, at_ms = 0): Headroom => {
  const headroom = new Headroom();
  headroom.read(headers, at_ms);
  return headroom;
};

describe('headroom', () => {
  test('headroom is the least share that is left, by the headers of OpenAI', () => {
    const headroom = seen({
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '400',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '250',
    });
    expect(headroom.share(0)).toBe(0.25);
    expect([headroom.requests, headroom.tokens]).toEqual([400, 250]);
  });

  test('headroom is the least share that is left, by the headers of Anthropic', () => {
    const headroom = seen({
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '40',
      'anthropic-ratelimit-tokens-limit': '1000',
      'anthropic-ratelimit-tokens-remaining': '900',
      'anthropic-ratelimit-output-tokens-limit': '100',
      'anthropic-ratelimit-output-tokens-remaining': '10',
    });
    expect(headroom.share(0)).toBe(0.1);
    expect([headroom.requests, headroom.tokens]).toEqual([40, 10]);
  });

  test('headroom is the least share that is left, by the headers of Mistral', () => {
    const headroom = seen({
      'x-ratelimit-limit-req-minute': '60',
      'x-ratelimit-remaining-req-minute': '45',
      'x-ratelimit-limit-tokens-minute': '50000',
      'x-ratelimit-remaining-tokens-minute': '20000',
      'x-ratelimit-limit-tokens-month': '4000000',
      'x-ratelimit-remaining-tokens-month': '4000',
      'x-ratelimit-tokens-query-cost': '2804',
    });
    expect(headroom.share(0)).toBe(0.4);
    expect([headroom.requests, headroom.tokens]).toEqual([45, 20_000]);
  });

  test('headroom is the least share that is left, by the headers of Cerebras', () => {
    const headroom = seen({
      'x-ratelimit-limit-requests-day': '14400',
      'x-ratelimit-remaining-requests-day': '1440',
      'x-ratelimit-limit-tokens-minute': '60000',
      'x-ratelimit-remaining-tokens-minute': '30000',
      'x-ratelimit-reset-tokens-minute': '12.5',
    });
    expect(headroom.share(0)).toBe(0.1);
    expect([headroom.requests, headroom.tokens]).toEqual([1440, 30_000]);
  });

  test('headroom follows a target whose provider says it in other words from now on', () => {
    const headroom = seen({
      'x-ratelimit-limit-req-minute': '60',
      'x-ratelimit-remaining-req-minute': '6',
    });
    headroom.read({}, 1);
    expect(headroom.share(1)).toBe(0.1);
    const other = { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': '9' };
    for (let answer = 0; answer < 16; answer += 1) headroom.read(other, 2);
    expect([headroom.requests, headroom.tokens, headroom.share(2)]).toEqual([9, Number.NaN, 0.9]);
  });

  test('headroom of two windows is that of the tighter one', () => {
    const headroom = seen({
      'x-ratelimit-limit-requests-minute': '30',
      'x-ratelimit-remaining-requests-minute': '29',
      'x-ratelimit-limit-requests-hour': '900',
      'x-ratelimit-remaining-requests-hour': '9',
    });
    expect([headroom.requests, headroom.share(0)]).toEqual([9, 0.01]);
  });

  test('headroom is unknown where nobody says it, a minute later, and of what is no number', () => {
    expect(seen({}).share(0)).toBeNull();
    const known = seen({
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '0',
    });
    expect(known.share(60_000)).toBe(0);
    expect(known.share(60_001)).toBeNull();
    const odd = seen({
      'x-ratelimit-limit-requests': 'many',
      'x-ratelimit-remaining-requests': '-1',
      'x-ratelimit-remaining-tokens': '',
    });
    expect(odd.share(0)).toBeNull();
    const without = seen({ 'x-ratelimit-remaining-requests': '7' });
    expect([without.requests, without.share(0)]).toEqual([7, null]);
  });
});
