import { describe, expect, test } from 'vitest';
import {
  createTriggerState,
  observeComplaint,
  observeOutcome,
  percentileLowerBound,
  type TriggerState,
  trippedBy,
} from '../../src/core/triggers.ts';
import { oraclePolicy } from './policy.ts';

const policy = oraclePolicy.safety.rollback;

/** A seeded generator (mulberry32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function callsUntilTripped(rate: number, most: number, seed: number): number | null {
  const random = seeded(seed);
  const state = createTriggerState();
  for (let call = 1; call <= most; call += 1) {
    observeOutcome(state, random() < rate, 100);
    if (trippedBy(state, policy, 0) !== null) return call;
  }
  return null;
}

describe('hard triggers', () => {
  test('the error trigger stays quiet for 2,000 calls at 2 % errors in 200 of 200 runs', () => {
    const runs = Array.from({ length: 200 }, (_, seed) => callsUntilTripped(0.02, 2000, seed));
    expect(runs.filter((calls) => calls !== null)).toEqual([]);
  });

  test('the error trigger fires within a median of 45 calls at 30 % errors', () => {
    const runs = Array.from({ length: 200 }, (_, seed) => callsUntilTripped(0.3, 2000, seed));
    const calls = runs.map((run) => run ?? 2000).sort((left, right) => left - right);
    expect(calls[100]).toBeLessThanOrEqual(45);
    expect(calls.at(-1)).toBeLessThan(400);
  });

  test('the error trigger takes more than two calls, and at most 30, when all fail', () => {
    expect(callsUntilTripped(1, 100, 1)).toBeGreaterThan(2);
    expect(callsUntilTripped(1, 100, 1)).toBeLessThanOrEqual(30);
  });

  test('the latency trigger needs 72 calls and a lower bound of p95 above the limit', () => {
    const state = createTriggerState();
    for (let call = 0; call < 71; call += 1) observeOutcome(state, false, 20_000);
    expect(trippedBy(state, policy, 0)).toBeNull();
    observeOutcome(state, false, 20_000);
    expect(trippedBy(state, policy, 0)).toContain('p95 is above 10000 ms');
  });

  test('the latency trigger does not fire for a few slow calls among many', () => {
    const state = createTriggerState();
    for (let call = 0; call < 400; call += 1) observeOutcome(state, false, call < 8 ? 60_000 : 100);
    expect(trippedBy(state, policy, 0)).toBeNull();
  });

  test('the complaint trigger counts users, not complaints, within its window', () => {
    const state: TriggerState = createTriggerState();
    for (let time = 0; time < 20; time += 1) observeComplaint(state, 'u:loud', time);
    expect(trippedBy(state, policy, 20)).toBeNull();
    for (let user = 0; user < 5; user += 1) observeComplaint(state, `u:${user}`, 20);
    expect(trippedBy(state, policy, 20)).toBe('6 users complained within 10 minutes');
    expect(trippedBy(state, policy, 20 + 10 * 60_000 + 1)).toBeNull();
  });
});

describe('percentileLowerBound', () => {
  test('percentileLowerBound lies at or below the true percentile in about 95 % of samples', () => {
    const random = seeded(7);
    let covered = 0;
    for (let run = 0; run < 2000; run += 1) {
      const values = Array.from({ length: 200 }, () => random());
      if ((percentileLowerBound(values, 0.95) ?? 1) <= 0.95) covered += 1;
    }
    expect(covered / 2000).toBeGreaterThan(0.93);
    expect(covered / 2000).toBeLessThan(0.99);
    expect(
      percentileLowerBound(
        Array.from({ length: 71 }, () => 1),
        0.95,
      ),
    ).toBeNull();
  });
});
