import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAlarms } from '../../../src/core/series/alarms.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { createGrain } from '../../../src/core/series/row-errors.ts';
import { createSlowLevel } from '../../../src/core/series/slow-level.ts';

const never = (): boolean => false;

/** Rows that alarm, of strengths that are 0 but for those named. */
function alarmsAt(rows: number, strong: Readonly<Record<number, number>>, rows_each = 500) {
  const alarms = createAlarms({ rows_each });
  return Array.from({ length: rows }, (_, row) => alarms.take(strong[row] ?? 0, never)).flatMap(
    ({ alarm }, row) => (alarm ? [row] : []),
  );
}

test('alarms mark the onset of an episode, and score from 0.5 on only then', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true })), (strengths) => {
      const alarms = createAlarms();
      for (const strength of strengths) {
        const { score, alarm } = alarms.take(strength, never);
        expect(score >= 0.5).toBe(alarm);
        expect(score).toBeLessThanOrEqual(1);
        if (alarm) expect(strength).toBeGreaterThanOrEqual(1);
      }
    }),
  );
  expect(alarmsAt(400, { 100: 2, 101: 2, 102: 2, 103: 2, 300: 3 })).toEqual([100, 300]);
});

test('alarms come on under a third of the occasions of a habit, and on what is stronger', () => {
  const random = createRandom(4);
  const places = Array.from({ length: 395 }, (_, at) => 100 + at * 100);
  const habit = Object.fromEntries(places.map((row) => [row, 1 + random.next()]));
  const told = alarmsAt(40_000, { ...habit, 39950: 4 }, 1000).filter((row) => row > 4000);
  expect(told.at(-1)).toBe(39_950);
  expect(told.length).toBeLessThan(360 / 3);
});

test('alarms say nothing of what is excused', () => {
  const alarms = createAlarms();
  expect(alarms.take(5, () => true).alarm).toBe(false);
});

test('createSlowLevel knows a return to the level before an alarm, once it was away', () => {
  const slow = createSlowLevel([6]);
  const feed = (value: number, rows: number): void => {
    for (let row = 0; row < rows; row += 1) slow.push(value + (row % 2 ? 0.5 : -0.5), 1);
  };
  feed(0, 200);
  slow.push(20, 1);
  slow.hurry();
  expect(slow.returned()).toBe(false);
  feed(20, 60);
  expect(slow.returned()).toBe(false);
  slow.push(0.2, 1);
  expect(slow.returned()).toBe(true);
  expect(slow.returned()).toBe(false);
});

test('createGrain is the smallest step so far, of earlier rows only', () => {
  const grain = createGrain();
  expect([3, 3, 8, 7, 7].map(grain)).toEqual([0, 0, 0, 5, 1]);
});
