import { describe, expect, test } from 'vitest';
import { type FewLife, type FewUsers, liveAmongFew } from './few-users.ts';
import { withSafety } from './kit.ts';

function lives(world: Omit<FewUsers, 'seed'>, runs: number): readonly FewLife[] {
  return Array.from({ length: runs }, (_, seed) => liveAmongFew({ ...world, seed }));
}
const ended = (some: readonly FewLife[], end: FewLife['end']): number =>
  some.filter((life) => life.end === end).length;
const longest = (some: readonly FewLife[]): number => Math.max(...some.map(({ days }) => days));

/** Six hundred make about thirty canary units at 5 %: a step's minimum, or a few less. */
const people = { users: 600, calls_a_day: 3, rated: 0.3 };

describe('a canary among users who come back, and no others', () => {
  test('a harmful one ends within days, and is never promoted', () => {
    const harmful = lives({ ...people, control: 0.45, canary: 0.7 }, 5);
    expect(longest(harmful)).toBeLessThan(5);
    expect(ended(harmful, 'revert') + ended(harmful, 'inconclusive')).toBe(harmful.length);
  });

  test('a grossly harmful one is reverted within half a day', () => {
    const gross = lives({ ...people, control: 0.05, canary: 0.9 }, 20);
    expect(ended(gross, 'revert')).toBe(gross.length);
    expect(longest(gross)).toBeLessThan(0.5);
  });

  test('a good one is promoted, on smaller steps where the users are few', () => {
    const good = lives({ ...people, users: 400, control: 0.45, canary: 0.1 }, 10);
    expect(ended(good, 'promote')).toBeGreaterThanOrEqual(9);
    expect(good[0]?.shares).toEqual([0.05, 0.1, 0.25, 0.5]);
  });

  test('one without a difference is given up within a week, and seldom taken for harm', () => {
    const alike = lives({ ...people, users: 200, control: 0.3, canary: 0.3 }, 15);
    const policy = withSafety({ canary: { units_min: 10 } });
    const lenient = lives({ ...people, users: 40, control: 0.3, canary: 0.3, policy }, 20);
    for (const some of [alike, lenient]) {
      expect(ended(some, 'promote')).toBe(0);
      expect(ended(some, 'revert')).toBeLessThanOrEqual(2);
      expect(longest(some)).toBeLessThan(8);
    }
  });

  test('among thirty nothing can be proved, and that is told after three days', () => {
    const alone = lives({ ...people, users: 30, calls_a_day: 1.5, control: 0.5, canary: 0.1 }, 10);
    const told = alone.filter(({ reason }) => reason.includes('it takes 300 units within 14 days'));
    expect(told).toHaveLength(alone.length);
    expect(longest(alone)).toBeLessThan(4);
  });
});
