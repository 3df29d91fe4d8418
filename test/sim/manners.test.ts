import { expect, test } from 'vitest';
import { mannersOf, nextStep, saidOf } from '../../src/sim/manners.ts';
import { createRandom } from '../../src/sim/random.ts';
import { smallWorld } from './world-kit.ts';

const ok = { outcome: 'ok', good: true } as const;
const bad = { outcome: 'ok', good: false } as const;
const error = { outcome: 'error', good: false } as const;
const always = { agent: 'helper', count: 1, calls_per_day: 1, rates: 1, honesty: 1 };

function user(change: object = {}) {
  const { scenario } = smallWorld({
    users: { people: { ...always, retries: 1, regenerates: 1, ...change } },
    feedback: { unnamed: 0 },
  });
  const population = scenario.users.people;
  if (!population) throw new Error('no people');
  const manners = mannersOf({ luck: createRandom(1, 'user') });
  return { population, manners, feedback: scenario.feedback };
}

test('a user tries twice again after errors, and asks once for a better answer', () => {
  const { manners, population } = user();
  expect(nextStep(manners, population, [error])?.relation).toBe('retry');
  expect(nextStep(manners, population, [error, error])?.relation).toBe('retry');
  expect(nextStep(manners, population, [error, error, error])).toBeNull();
  expect(nextStep(manners, population, [bad])?.relation).toBe('regeneration');
  expect(nextStep(manners, population, [bad, bad])).toBeNull();
  expect(nextStep(manners, population, [ok])).toBeNull();
  expect(nextStep(manners, population, [{ outcome: 'aborted', good: false }])).toBeNull();
});

test('an honest user rates the answer, a liar its opposite, an attacker always alike', () => {
  const value = (change: object, seen: typeof ok | typeof bad) => {
    const { manners, population, feedback } = user(change);
    const { signal, value: said } = saidOf(manners, population, feedback, seen) ?? {};
    return [signal, said];
  };
  expect(value({}, ok)[1]).toBeGreaterThanOrEqual(4);
  expect(value({}, bad)[1]).toBeLessThanOrEqual(2);
  expect(value({ honesty: 0 }, ok)[1]).toBeLessThanOrEqual(2);
  expect(value({ says: 1 }, ok)).toEqual(['rating', 1]);
  expect(value({ judges: 'thumbs' }, bad)).toEqual(['helpful', 0]);
  expect(value({ judges: 'complaints' }, bad)).toEqual(['complaint', 1]);
  expect(value({ judges: 'complaints' }, ok)).toEqual([undefined, undefined]);
});

test('who hung up, or does not rate, says nothing', () => {
  const { manners, population, feedback } = user();
  expect(saidOf(manners, population, feedback, { outcome: 'aborted', good: false })).toBeNull();
  expect(saidOf(manners, { ...population, rates: 0 }, feedback, ok)).toBeNull();
  expect(saidOf(manners, population, { ...feedback, lost: 1 }, ok)).toBeNull();
});
