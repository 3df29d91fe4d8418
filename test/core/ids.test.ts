import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createId, uuidv7 } from '../../src/core/ids.ts';

describe('ids', () => {
  test('uuidv7 has version 7, variant 10 and its time in front (RFC 9562 §5.7)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 47 }), fc.uuid({ version: 4 }), (time, random) => {
        const id = uuidv7(time, random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(time);
      }),
    );
  });

  test('ids say what they name and sort by their time', () => {
    expect(createId('call', 1)).toMatch(/^call_/);
    expect(createId('mut', 1000) < createId('mut', 2000)).toBe(true);
  });
});
