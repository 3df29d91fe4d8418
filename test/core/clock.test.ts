import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClock, policyTime, realDuration } from '../../src/core/clock.ts';

describe('clock', () => {
  test('policy time runs scale times as fast from the origin on', () => {
    const origin = { origin_ms: 1_000_000, scale: 600 };
    expect(policyTime(origin, 1_000_000)).toBe(1_000_000);
    expect(policyTime(origin, 1_001_000)).toBe(1_600_000);
    expect(realDuration(origin, 60_000)).toBe(100);
    expect(realDuration(origin, 60_000, 250)).toBe(250);
  });

  test('at scale 1 policy time is the wall time', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (origin_ms, wall_ms) => {
        expect(policyTime({ origin_ms, scale: 1 }, wall_ms)).toBe(wall_ms);
      }),
    );
  });

  test('a clock reads its source and never scales the monotonic time', () => {
    const source = { monotonic_ms: () => 5, wall_ms: () => 2000 };
    const clock = createClock({ origin_ms: 1000, scale: 10 }, source);
    expect([clock.monotonic_ms(), clock.wall_ms(), clock.policy_ms()]).toEqual([5, 2000, 11_000]);
  });
});
