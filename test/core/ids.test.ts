import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createId, createIdMaker, uuidv7 } from '../../src/core/ids.ts';

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

  test('createIdMaker makes ids like createId’s, of which each random digit varies', () => {
    const make = createIdMaker('call');
    const form = /^call_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    const ids = Array.from({ length: 3000 }, (_, index) => make(Math.floor(index / 1000) * 5000));
    for (const [index, id] of ids.entries()) {
      expect(id).toMatch(form);
      const time = createId('call', Math.floor(index / 1000) * 5000).slice(0, 20);
      expect(id.slice(0, 20)).toBe(time);
    }
    expect(new Set(ids).size).toBe(ids.length);
    for (const at of [
      20,
      21,
      22,
      24,
      25,
      26,
      27,
      ...Array.from({ length: 12 }, (_, n) => 29 + n),
    ]) {
      expect(new Set(ids.map((id) => id[at])).size).toBe(at === 24 ? 4 : 16);
    }
  });
});
