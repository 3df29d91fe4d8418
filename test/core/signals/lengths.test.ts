import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLengths, LENGTHS_MIN } from '../../../src/core/signals/lengths.ts';

/** 400 to 799 characters, evenly. */
function usual(count: number) {
  const lengths = createLengths();
  const said = Array.from({ length: count }, (_, at) => lengths.add(400 + ((at * 37) % 400)));
  return { lengths, said };
}

test('createLengths calls nothing unusual before it knows what is usual', () => {
  const { lengths } = usual(LENGTHS_MIN - 2);
  expect(lengths.median()).toBeNull();
  expect(lengths.add(1)).toBeNull();
});

test('createLengths sees answers far outside of the usual ones, and none within', () => {
  const { lengths, said } = usual(2000);
  expect(said.every((one) => one === null)).toBe(true);
  expect(lengths.median()).toBeGreaterThan(450);
  expect(lengths.median()).toBeLessThan(750);
  expect(lengths.add(2)).toBe('short');
  expect(lengths.add(60_000)).toBe('long');
  expect(lengths.add(200)).toBeNull();
  expect(lengths.add(1800)).toBeNull();
});

test('createLengths follows an agent whose answers become longer', () => {
  const { lengths } = usual(1000);
  expect(lengths.add(30_000)).toBe('long');
  for (let at = 0; at < 12_000; at += 1) lengths.add(30_000);
  expect(lengths.add(30_000)).toBeNull();
});

test('createLengths takes any length', () => {
  const any = fc.array(fc.oneof(fc.nat(), fc.constant(0), fc.constant(Number.MAX_SAFE_INTEGER)), {
    maxLength: 500,
  });
  fc.assert(
    fc.property(any, (all) => {
      const lengths = createLengths();
      for (const chars of all) expect([null, 'short', 'long']).toContain(lengths.add(chars));
    }),
  );
});
