import { expect, test } from 'vitest';
import { Cooling } from '../../../src/gateway/targets/cooling.ts';

const BACKOFF = [250, 8000] as const;

test('cooling lasts as long as the provider said, at most a minute', () => {
  const cooling = new Cooling();
  cooling.limit(2.5, BACKOFF, 0);
  expect([cooling.left_ms(0), cooling.left_ms(2400), cooling.left_ms(2500)]).toEqual([
    2500, 100, 0,
  ]);
  cooling.limit(3600, BACKOFF, 3000);
  expect(cooling.left_ms(3000)).toBe(60_000);
});

test('cooling doubles where nothing was said, and begins anew after an answer', () => {
  const cooling = new Cooling();
  const waits: number[] = [];
  let now_ms = 0;
  for (let time = 0; time < 7; time += 1) {
    cooling.limit(null, BACKOFF, now_ms);
    waits.push(cooling.left_ms(now_ms));
    now_ms += cooling.left_ms(now_ms);
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000]);
  cooling.answered();
  cooling.limit(null, BACKOFF, now_ms);
  expect(cooling.left_ms(now_ms)).toBe(250);
});

test('cooling takes refusals of calls sent before it for one', () => {
  const cooling = new Cooling();
  for (let time = 0; time < 100; time += 1) cooling.limit(null, BACKOFF, 0);
  cooling.limit(1, BACKOFF, 0);
  expect(cooling.left_ms(0)).toBe(1000);
  cooling.limit(null, BACKOFF, 1000);
  expect(cooling.left_ms(1000)).toBe(500);
});
