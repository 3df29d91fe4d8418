import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Segment } from '../../src/core/observation.ts';
import { type Fact, factOf } from '../../src/sim/facts.ts';
import { createHolding, HOUR_MS } from '../../src/sim/holding.ts';
import { createSeries } from '../../src/sim/series.ts';
import { createTally } from '../../src/sim/tally.ts';
import { callEvent } from '../kit/events.ts';

const BEGIN_MS = 1_767_571_200_000;
const DAY_MS = 24 * HOUR_MS;

const calls = fc.array(
  fc.record({
    hour: fc.integer({ min: 0, max: 10 * 24 }),
    unit: fc.constantFrom('u:1', 'u:2', 'u:3'),
    intended: fc.constantFrom('a', 'b'),
    tenant: fc.constantFrom('default', 'acme'),
    category: fc.constantFrom(null, 'chat', 'code'),
    arm_error: fc.boolean(),
    cost_usd: fc.option(fc.integer({ min: 1, max: 9 })),
  }),
  { minLength: 1, maxLength: 40 },
);

function factsOf(all: readonly { readonly hour: number }[]): readonly Fact[] {
  const sorted = all.toSorted((left, right) => left.hour - right.hour);
  return sorted.map(({ hour, ...over }, index) => {
    const at_ms = BEGIN_MS + hour * HOUR_MS;
    return factOf(callEvent(`c${index}`, { ...over, agent: 'helper', at_ms }));
  });
}

function isIn(fact: Fact, { target, tenant = null, category = null }: Segment): boolean {
  const own = target === null || fact.target === target;
  const alike = category === null || fact.category === category;
  return own && alike && (tenant === null || fact.tenant === tenant);
}

/** Each cell counted by itself, from nothing but what is in the span. */
function alone(facts: readonly Fact[], segment: Segment, by_day: boolean) {
  const tally = createTally(by_day);
  for (const fact of facts) if (isIn(fact, segment)) tally.add(fact, 1);
  return tally.observe(segment, []);
}

test('cells that share a tally are as each by itself, whatever comes and leaves', () => {
  fc.assert(
    fc.property(calls, (all) => {
      const facts = factsOf(all);
      const holding = createHolding(createSeries());
      for (let day = 1; day <= 11; day += 1) {
        const to_ms = BEGIN_MS + day * DAY_MS;
        for (const fact of facts) {
          if (fact.at_ms < to_ms && fact.at_ms >= to_ms - DAY_MS) holding.keep(fact);
        }
        holding.settle({ from_ms: to_ms - DAY_MS, to_ms, since_ms: {} });
        for (const [place, span] of [
          ['window', holding.window],
          ['past', holding.past],
        ] as const) {
          const inside = holding.facts(place);
          for (const { segment, tally } of span.tallies.values()) {
            const { quantities, ...counts } = tally.observe(segment, []);
            const { quantities: expected, ...known } = alone(inside, segment, span.by_day);
            expect(counts).toEqual(known);
            expect(Object.keys(quantities)).toEqual(Object.keys(expected));
            expect(quantities.cost_usd?.bins).toEqual(expected.cost_usd?.bins);
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('an agent and its only tenant are one tally until another tenant comes', () => {
  const holding = createHolding(createSeries());
  const talliesOf = () => new Set([...holding.window.tallies.values()].map(({ tally }) => tally));
  const look = { from_ms: BEGIN_MS, to_ms: BEGIN_MS + DAY_MS, since_ms: {} };
  const come = (id: string, tenant: string): void => {
    holding.keep(factOf(callEvent(id, { agent: 'helper', tenant, at_ms: BEGIN_MS })));
    holding.settle(look);
  };
  come('c1', 'default');
  expect([holding.window.tallies.size, talliesOf().size]).toEqual([3, 1]);
  come('c2', 'acme');
  expect([holding.window.tallies.size, talliesOf().size]).toEqual([4, 3]);
});
