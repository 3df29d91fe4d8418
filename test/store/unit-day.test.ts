import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR_MS } from '../../src/store/cells.ts';
import {
  addSeen,
  combinationKey,
  parseSeen,
  type Seen,
  seenOf,
  seenText,
} from '../../src/store/unit-day.ts';

const fact = fc.record({
  at: fc.record({
    agent: fc.constant('a'),
    target: fc.constantFrom('t1', 't"2', 't\\3'),
    tenant: fc.constantFrom('', 'acme'),
    category: fc.constant('é'),
  }),
  hour_ms: fc.integer({ min: 0, max: 23 }).map((hour) => hour * HOUR_MS),
  metric: fc.constantFrom('calls', 'rating=4.5', 'error'),
  events: fc.constantFrom(1, -1),
  once: fc.boolean(),
});

test('what was seen of a unit reads back from its text, but for what was taken back', () => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 40 }), (facts) => {
      const seen: Seen = [];
      const sums = new Map<string, number>();
      for (const one of facts) {
        addSeen(seen, one);
        const key = `${combinationKey(one.at)}|${one.metric}|${one.hour_ms / HOUR_MS}`;
        sums.set(key, one.once ? 1 : (sums.get(key) ?? 0) + one.events);
      }
      const text = seenText(seen);
      const read = parseSeen(text);
      expect(seenText(read)).toBe(seenText(parseSeen(seenText(read))));
      const shown = new Map<string, number>();
      for (const { at, metrics } of read) {
        for (const { metric, bits, times } of metrics) {
          expect(bits).toBe(seenOf(seen, at, metric)?.bits);
          for (let place = 0; place < times.length; place += 2) {
            shown.set(
              `${combinationKey(at)}|${metric}|${times[place]}`,
              times[place + 1] as number,
            );
          }
        }
      }
      expect(shown).toEqual(new Map([...sums].filter(([, sum]) => sum !== 0)));
    }),
  );
});
