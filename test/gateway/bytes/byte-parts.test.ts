import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteParts } from '../../../src/gateway/bytes/byte-parts.ts';

test('ByteParts joins what came in parts, however it was cut, and then begins anew', () => {
  const part = fc.uint8Array({ maxLength: 6000 });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 40 }),
      fc.option(part, { nil: undefined }),
      (all, tail) => {
        const parts = new ByteParts();
        for (let round = 0; round < 2; round += 1) {
          for (const one of all) parts.push(one);
          const whole = Buffer.concat(all);
          expect(parts.bytes).toBe(whole.length);
          const expected = tail ? Buffer.concat([whole, tail]) : whole;
          expect(Buffer.from(parts.join(tail)).equals(expected)).toBe(true);
          expect(parts.bytes).toBe(0);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('ByteParts gives the only part back as it is', () => {
  const parts = new ByteParts();
  const only = Buffer.from('only');
  parts.push(only);
  expect(parts.join()).toBe(only);
});

test('ByteParts takes memory in proportion to the bytes, though they come one by one', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const parts = new ByteParts();
  collect();
  const before = held();
  for (let byte = 0; byte < 1_000_000; byte += 1) parts.push(Buffer.from([byte & 0xff]));
  collect();
  expect(held() - before).toBeLessThan(4_000_000);
  expect(parts.join()).toHaveLength(1_000_000);
});

function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
