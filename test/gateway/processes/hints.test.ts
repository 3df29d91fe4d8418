import { expect, test } from 'vitest';
import { createHints } from '../../../src/gateway/processes/hints.ts';

test('createHints tells of growth at once, and again a tenth of a second later', () => {
  let now_ms = 5;
  let told = 0;
  const tell = (): void => {
    told += 1;
  };
  const hint = createHints(tell, { monotonic_ms: () => now_ms });
  hint();
  expect(told).toBe(1);
  for (; now_ms < 105; now_ms += 1) hint();
  expect(told).toBe(1);
  hint();
  expect(told).toBe(2);
});
