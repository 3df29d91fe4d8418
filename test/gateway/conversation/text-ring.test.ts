import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextRing } from '../../../src/gateway/conversation/text-ring.ts';

test('ring gives back what was set last in a slot, whatever the text', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ minLength: 40 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), text)), (writes) => {
      const ring = createTextRing(5, 41);
      const model = new Map<number, string>();
      for (const [slot, value] of writes) {
        ring.set(slot, value);
        model.set(slot, value);
      }
      for (let slot = 0; slot < 5; slot += 1) {
        expect(ring.get(slot)).toBe(model.get(slot) ?? '');
        expect(ring.is(slot, model.get(slot) ?? '')).toBe(true);
      }
    }),
  );
});
