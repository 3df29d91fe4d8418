import { expect, test } from 'vitest';
import { p95Bar, slowBarOf } from '../../src/sim/slow-bar.ts';

const LATENCIES = Array.from({ length: 100 }, () => 800);

test('p95Bar is a quarter above the 95th percentile, at least 50 ms, and none of few', () => {
  expect(p95Bar(LATENCIES)).toBe(1000);
  expect(p95Bar(LATENCIES.map(() => 80))).toBe(130);
  expect(p95Bar(LATENCIES.slice(0, 71))).toBeNull();
});

test('slowBarOf fixes a canary’s bar once, when the canary has answered its first units', () => {
  const told: [string, number][] = [];
  const world = {
    collector: { latencies: () => LATENCIES },
    trials: { slowAbove: (id: string, ms: number) => void told.push([id, ms]) },
  };
  const of = (slow_ms: number | null, canary_units: number) =>
    slowBarOf(
      world,
      { experiment: { id: 'e', slow_ms }, row: { agent: 'default' } },
      { canary_units },
      0,
    );
  expect(of(null, 4)).toBeNull();
  expect(of(null, 5)).toBe(1000);
  expect(of(900, 50)).toBe(900);
  expect(told).toEqual([['e', 1000]]);
});
