import { describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../src/core/statistics.ts';
import { type FewUsers, liveAmongFew } from '../oracle/few-users.ts';
import { withSafety } from '../oracle/kit.ts';

/** Figures of canaries among users who come back; one metric of harm has events. */
const RUNS = 300;
const SMALL = withSafety({ canary: { units_min: 10 } });

function figures(world: Omit<FewUsers, 'seed'>) {
  const lives = Array.from({ length: RUNS }, (_, seed) => liveAmongFew({ ...world, seed }));
  const days = lives.map((life) => life.days).sort((left, right) => left - right);
  const of = (end: string) => lives.filter((life) => life.end === end).length;
  const told = {
    revert: of('revert'),
    promote: of('promote'),
    inconclusive: of('inconclusive'),
    days_median: days[RUNS / 2] as number,
    days_max: days.at(-1) as number,
  };
  console.log(JSON.stringify({ ...world, policy: undefined, ...told }));
  return told;
}

describe.each([40, 200, 600])('a canary among %i users', (users) => {
  const world = { users, calls_a_day: 3, rated: 0.3, ...(users < 300 ? { policy: SMALL } : {}) };

  test('without a difference is reverted in at most 5 % of lives, and over in days', () => {
    const { revert, promote, days_max } = figures({ ...world, control: 0.3, canary: 0.3 });
    expect(wilsonInterval(revert, RUNS)[0]).toBeLessThanOrEqual(0.05);
    expect(promote).toBeLessThanOrEqual(RUNS / 100);
    expect(days_max).toBeLessThan(10);
  });

  test('that does harm is never promoted, and over in days', () => {
    const { promote, days_max } = figures({ ...world, control: 0.45, canary: 0.7 });
    expect(promote).toBe(0);
    expect(days_max).toBeLessThan(8);
  });
});
