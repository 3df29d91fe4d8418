import { expect, test } from 'vitest';
import { createStepClock } from '../../src/lab/step-clock.ts';

test('createStepClock counts rows that are missing by the usual distance, once it knows it', () => {
  const clock = createStepClock();
  const at = (minute: number): string => new Date(minute * 60_000).toISOString();
  for (let row = 0; row <= 24; row += 1) expect(clock.missing(at(5 * row))).toBe(0);
  expect(clock.missing(at(125))).toBe(0);
  expect(clock.missing(at(150))).toBe(4);
  expect(clock.missing(at(140))).toBe(0);
  expect(clock.missing('no time')).toBe(0);
});

test('createStepClock reads plain numbers, and takes a very long gap for a new beginning', () => {
  const clock = createStepClock();
  for (let row = 1; row <= 30; row += 1) clock.missing(String(row));
  expect(clock.missing('33')).toBe(2);
  expect(clock.missing('1000000')).toBe(0);
});

test('createStepClock proposes a day and a week in rows once it knows their distance', () => {
  const clock = createStepClock();
  expect(clock.seasons()).toEqual([]);
  for (let row = 0; row < 30; row += 1) {
    clock.missing(new Date(Date.UTC(2026, 0, 1, 0, 30 * row)).toISOString());
  }
  expect(clock.seasons()).toEqual([48, 336]);
});

test('createStepClock says what is odd of a time, and takes one without a zone for UTC', () => {
  const clock = createStepClock();
  const told = (time: string): string | null => {
    const odd = clock.odd(time);
    clock.missing(time);
    return odd;
  };
  expect(told('2026-03-29 01:30:00')).toBeNull();
  expect(told('2026-03-29T01:30:00Z')).toMatch(/that of the row before again/);
  expect(told('2026-03-29T03:30:00+02:00')).toMatch(/again/);
  expect(told('2026-03-29T01:29:59.5')).toMatch(/before that of a row above/);
  expect(told('soon')).toMatch(/"soon" is no RFC 3339 time/);
  expect(told('2026-03-29')).toMatch(/before/);
});
