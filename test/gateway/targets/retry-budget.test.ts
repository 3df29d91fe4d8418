import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRetryBudget, FLOOR } from '../../../src/gateway/targets/retry-budget.ts';

const atTime = (start_ms = 0) => {
  const time = { now_ms: start_ms };
  return { time, budget: createRetryBudget(() => time.now_ms) };
};

test('retry budget lets a quiet gateway try again, and no more than that', () => {
  const { budget } = atTime();
  budget.earn();
  const spent = Array.from({ length: 50 }, () => budget.spend(0.2)).filter(Boolean);
  expect(spent).toHaveLength(FLOOR);
});

test('retry budget allows a fifth of the calls of a busy gateway', () => {
  const { budget } = atTime();
  let spent = 0;
  for (let call = 0; call < 1000; call += 1) {
    budget.earn();
    if (budget.spend(0.2)) spent += 1;
  }
  expect(spent).toBe(200);
});

test('retry budget of 0 allows nothing', () => {
  const { budget } = atTime();
  for (let call = 0; call < 100; call += 1) budget.earn();
  expect(budget.spend(0)).toBe(false);
});

test('retry budget forgets what is older than its window', () => {
  const { budget, time } = atTime(5000);
  for (let spend = 0; spend < FLOOR; spend += 1) budget.spend(0.2);
  expect(budget.spend(0.2)).toBe(false);
  time.now_ms += 10_000;
  expect(budget.spend(0.2)).toBe(true);
});

test('retry budget never lets a window have more than its share, in whatever order', () => {
  const holds = (steps: readonly (readonly ['call' | 'spend' | 'wait', number])[]) => {
    const { budget, time } = atTime();
    const log: { readonly at_s: number; readonly what: 'call' | 'spent' }[] = [];
    const at_s = () => Math.floor(time.now_ms / 1000);
    const recent = (what: string) =>
      log.filter((entry) => entry.what === what && entry.at_s > at_s() - 10).length;
    const acts = {
      call: () => {
        budget.earn();
        log.push({ at_s: at_s(), what: 'call' });
      },
      spend: () => {
        const most = Math.max(FLOOR, Math.floor(0.2 * recent('call')));
        const may = recent('spent') < most;
        expect(budget.spend(0.2)).toBe(may);
        if (may) log.push({ at_s: at_s(), what: 'spent' });
      },
      wait: () => {
        time.now_ms += 150;
      },
    };
    for (const [what, times] of steps) {
      for (let one = 0; one < times; one += 1) acts[what]();
    }
  };
  const what = fc.constantFrom('call' as const, 'spend' as const, 'wait' as const);
  const step = fc.tuple(what, fc.integer({ min: 1, max: 40 }));
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), holds));
});
