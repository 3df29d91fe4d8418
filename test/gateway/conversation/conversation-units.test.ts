import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createConversationUnits } from '../../../src/gateway/conversation/conversation-units.ts';

const SECRET = Buffer.from('a secret of the test');
const few = fc.constantFrom('a', 'b');
const talker = fc.record({ tenant: few, key: few, agent: few, peer: few });
const beginning = fc.record({ system: few, high: fc.nat(2), low: fc.nat(2) });
const asked = fc.tuple(talker, beginning);

test('a conversation’s unit is one of its own, whichever were asked for before', () => {
  const texts = new Map<string, string>();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(asked), (kept_max, all) => {
      const units = createConversationUnits(SECRET, kept_max);
      for (const [who, what] of all) {
        const unit = units(who, what);
        expect(unit).toBe(createConversationUnits(SECRET)(who, what));
        const text = JSON.stringify([who, what]);
        expect(texts.get(unit) ?? text).toBe(text);
        texts.set(unit, text);
      }
    }),
  );
  expect(texts.size).toBeGreaterThan(100);
});

test('a conversation’s unit is another under another secret', () => {
  const who = { tenant: 'default', key: 'open', agent: 'default', peer: '127.0.0.1' };
  const what = { system: '', high: 1, low: 2 };
  const other = createConversationUnits(Buffer.from('another secret'));
  expect(other(who, what)).not.toBe(createConversationUnits(SECRET)(who, what));
});
