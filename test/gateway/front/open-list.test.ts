import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenList } from '../../../src/gateway/front/open-list.ts';

interface Thing {
  readonly name: string;
}
const fresh = (_: unknown, index: number): Thing => ({ name: `thing ${index}` });

test('OpenList holds what was added and not removed, whatever the order', () => {
  const step = fc.record({ add: fc.boolean(), which: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = Array.from({ length: 9 }, fresh);
      const open = new OpenList<Thing>();
      const model = new Set<Thing>();
      for (const { add, which } of steps) {
        const one = all[which] as Thing;
        if (add && !model.has(one)) {
          open.add(one);
          model.add(one);
        } else if (!add) {
          open.remove(one);
          model.delete(one);
        }
      }
      const seen: Thing[] = [];
      open.forEach((one) => {
        seen.push(one);
      });
      expect(new Set(seen)).toEqual(model);
      expect(open.count).toBe(model.size);
    }),
  );
});
