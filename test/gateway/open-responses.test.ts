import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenResponses } from '../../src/gateway/open-responses.ts';

const fresh = () => new ServerResponse(new IncomingMessage(new Socket()));

test('OpenResponses holds what was added and not removed, whatever the order', () => {
  const step = fc.record({ add: fc.boolean(), which: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = Array.from({ length: 9 }, fresh);
      const open = new OpenResponses();
      const model = new Set<ServerResponse>();
      for (const { add, which } of steps) {
        const one = all[which] as ServerResponse;
        if (add && !model.has(one)) {
          open.add(one);
          model.add(one);
        } else if (!add) {
          open.remove(one);
          model.delete(one);
        }
      }
      const seen: ServerResponse[] = [];
      open.forEach((one) => {
        seen.push(one);
      });
      expect(new Set(seen)).toEqual(model);
      expect(open.count).toBe(model.size);
    }),
  );
});
