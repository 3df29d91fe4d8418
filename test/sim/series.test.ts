import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factOf } from '../../src/sim/facts.ts';
import { createSeries, STEP_MS, STEPS } from '../../src/sim/series.ts';
import { callEvent } from '../kit/events.ts';

const BEGIN_MS = 1_767_571_200_000;
const calls = fc.array(
  fc.record({
    hour: fc.integer({ min: 0, max: 30 }),
    unit: fc.constantFrom('u:1', 'u:2'),
    intended: fc.constantFrom('a', 'b'),
    latency_ms: fc.integer({ min: 1, max: 900 }),
    /** So many hours later it turns out to have failed. */
    late: fc.option(fc.integer({ min: 0, max: 6 })),
  }),
  { maxLength: 30 },
);

test('series that were looked at each hour are those of one look at the end', () => {
  fc.assert(
    fc.property(calls, (all) => {
      const [often, once] = [createSeries(), createSeries()];
      const facts = all.map(({ hour, late, ...over }, index) => ({
        hour,
        late,
        fact: factOf(
          callEvent(`c${index}`, { ...over, agent: 'helper', at_ms: BEGIN_MS + hour * STEP_MS }),
        ),
      }));
      for (let hour = 0; hour <= 40; hour += 1) {
        for (const { fact } of facts.filter((one) => one.hour === hour)) {
          often.add(fact);
          once.add(fact);
        }
        for (const { fact } of facts.filter((one) => one.hour + (one.late ?? NaN) === hour)) {
          fact.metrics.push('error');
          often.changed(fact);
        }
        often.upTo(BEGIN_MS + hour * STEP_MS);
      }
      const to_ms = BEGIN_MS + 41 * STEP_MS;
      expect(often.upTo(to_ms)).toEqual(once.upTo(to_ms));
    }),
    { numRuns: 50 },
  );
});

test('a series begins with the first hour of fourteen days that anything came in', () => {
  const series = createSeries();
  for (const hour of [5, 100, STEPS + 50]) {
    series.add(factOf(callEvent(`c${hour}`, { at_ms: BEGIN_MS + hour * STEP_MS })));
  }
  const at = (hour: number) => {
    const [first] = series.upTo(BEGIN_MS + hour * STEP_MS);
    return [(Number(first?.from_ms) - BEGIN_MS) / STEP_MS, first?.values.length];
  };
  expect(at(101)).toEqual([5, 96]);
  expect(at(STEPS + 51)).toEqual([100, STEPS - 49]);
});
