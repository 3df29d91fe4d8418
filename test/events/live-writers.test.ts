import { describe, expect, test } from 'vitest';
import { uuidv7 } from '../../src/core/ids.ts';
import { createLiveWriters } from '../../src/events/live-writers.ts';

const AT = 1_700_000_000_000;
const [one, two, old, young] = [
  `g0-${uuidv7(AT - 50)}`,
  `g1-${uuidv7(AT - 40)}`,
  `g1-${uuidv7(AT - 90_000)}`,
  `g1-${uuidv7(AT + 5)}`,
] as const;
const writers = () => createLiveWriters('w0-own', { names: [one, two], at_ms: AT });

describe('live writers', () => {
  test('live writers are the listed ones and the own one; any other of before is dead', () => {
    const live = writers();
    const isLive = (name: string): boolean => live.isLive(name);
    expect([one, two, 'w0-own'].map(isLive)).toEqual([true, true, true]);
    expect([old, 'g7', 'w0-other'].map(isLive)).toEqual([false, false, false]);
  });

  test('a writer that began after the list is live until a newer list leaves it out', () => {
    const live = writers();
    expect(live.isLive(young)).toBe(true);
    live.follow({ names: [one], at_ms: AT + 100 });
    expect([one, two, young].map((name) => live.isLive(name))).toEqual([true, false, false]);
  });

  test('a state is served once every listed writer has swapped to it', () => {
    const live = writers();
    expect(live.swapped(one, 3)).toBe(-1);
    expect(live.swapped(two, 2)).toBe(2);
    expect(live.swapped(two, 3)).toBe(3);
    expect(live.swapped(one, 4)).toBe(3);
  });

  test('a writer that has gone is not waited for, and a new one is', () => {
    const live = writers();
    live.swapped(one, 5);
    live.follow({ names: [one], at_ms: AT + 1 });
    expect(live.swapped(one, 6)).toBe(6);
    live.follow({ names: [one, young], at_ms: AT + 10 });
    expect(live.swapped(one, 7)).toBe(-1);
    expect(live.swapped(young, 7)).toBe(7);
  });
});
