import { expect, test } from 'vitest';
import { ATTACKS, DEGRADATIONS, isFound, look, underAttack } from './figures.ts';
import { DAY_MS, QUIET_PLAN, simulateCalls } from './traffic.ts';

/** Short versions of `test/slow/findings.test.ts`. */

test('findings of a day with nothing wrong are none', () => {
  const calls = simulateCalls({ ...QUIET_PLAN, calls_a_day: 800, seed: 3, days: 9 });
  expect(look(calls, 9 * DAY_MS).map(({ text }) => text)).toEqual([]);
});

for (const change of DEGRADATIONS) {
  test(`findings name ${change.name} within 2,000 calls`, () => {
    expect(isFound(change, 3000, 5)).toBe(true);
  });
}

for (const kind of ATTACKS) {
  test(`findings at action level are none under attack by ${kind}`, () => {
    expect(underAttack(kind, 7).map(({ text }) => text)).toEqual([]);
  });
}
