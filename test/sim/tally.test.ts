import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Fact, factOf } from '../../src/sim/facts.ts';
import { createTally } from '../../src/sim/tally.ts';
import { callEvent } from '../kit/events.ts';

const segment = { agent: 'helper', target: null };

const facts = fc.array(
  fc.record({
    unit: fc.constantFrom('u:1', 'u:2', 'u:3', 'u:4'),
    latency_ms: fc.integer({ min: 1, max: 5000 }),
    arm_error: fc.boolean(),
    rating: fc.option(fc.integer({ min: 1, max: 5 })),
  }),
  { maxLength: 20 },
);

function made(
  all: readonly { unit: string; latency_ms: number; arm_error: boolean; rating: number | null }[],
) {
  return all.map(({ rating, ...over }, index): Fact => {
    const fact = factOf(callEvent(`c${index}`, { ...over, agent: 'helper' }));
    if (rating !== null) {
      const verdict = { rater: over.unit, signal: 'rating', value: rating, at_ms: 0, rated: true };
      fact.verdicts.push({ ...verdict, dissatisfied: rating <= 2 });
    }
    return fact;
  });
}

test('a tally from which all that left was taken is that of what stayed', () => {
  fc.assert(
    fc.property(facts, facts, (kept, left) => {
      const [both, alone] = [createTally(), createTally()];
      const [staying, leaving] = [made(kept), made(left)];
      for (const fact of [...leaving, ...staying]) both.add(fact, 1);
      for (const fact of leaving) both.add(fact, -1);
      for (const fact of staying) alone.add(fact, 1);
      const plain = (tally: typeof both) => {
        const { quantities, ...rest } = tally.observe(segment, []);
        return { ...rest, bins: quantities.latency_ms?.bins };
      };
      expect(plain(both)).toEqual(plain(alone));
      expect(both.empty).toBe(kept.length === 0);
    }),
  );
});

test('a unit counts once, and once a day where that is asked for', () => {
  const days = [0, 1, 1].map((day, index) =>
    factOf(callEvent(`d${index}`, { agent: 'helper', at_ms: day * 86_400_000, arm_error: true })),
  );
  const [once, daily] = [createTally(), createTally(true)];
  for (const fact of days) {
    once.add(fact, 1);
    daily.add(fact, 1);
  }
  expect(once.observe(segment, []).rates.error).toEqual({ units: 1, events: 1 });
  expect(daily.observe(segment, []).rates.error).toEqual({ units: 2, events: 2 });
});

test('the halves of a tally are its whole', () => {
  const tally = createTally();
  for (let unit = 0; unit < 40; unit += 1) {
    tally.add(factOf(callEvent(`h${unit}`, { agent: 'helper', unit: `u:${unit}` })), 1);
  }
  const calls = ([0, 1] as const).map((half) => tally.observe(segment, [], half).calls);
  expect(Math.min(...calls)).toBeGreaterThan(8);
  expect((calls[0] ?? 0) + (calls[1] ?? 0)).toBe(40);
});
