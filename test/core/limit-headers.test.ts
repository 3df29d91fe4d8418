import { expect, test } from 'vitest';
import { isLimitHeader, isPlainHeader, limitHeaders } from '../../src/core/limit-headers.ts';

test('limitHeaders takes what is said of limits, and nothing that cannot be sent on', () => {
  const limits = {
    'x-ratelimit-remaining-requests': '0',
    'anthropic-ratelimit-tokens-reset': '2026-11-27T00:00:00Z',
  };
  const others = { 'x-ratelimit-a': 'a\r\nb: c', 'x-ratelimit-b': ['1', '2'], server: 'x' };
  expect(limitHeaders({ ...limits, ...others })).toEqual(limits);
  expect(limitHeaders(others)).toBeNull();
});

test('isLimitHeader and isPlainHeader judge a name and a value', () => {
  expect(['x-ratelimit-reset-tokens', 'x-request-id'].map(isLimitHeader)).toEqual([true, false]);
  expect(['6m0s', 'ü', 7].map(isPlainHeader)).toEqual([true, false, false]);
});
