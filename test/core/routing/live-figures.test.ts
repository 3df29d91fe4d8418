import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createFigures,
  ERROR_HALF_MS,
  errorRate,
  expectedFirstByte,
  firstByteOf,
  observeAnswer,
  observeAttempt,
  observeFirstByte,
  SIZES,
  sizeOf,
} from '../../../src/core/routing/live-figures.ts';

describe('live figures', () => {
  test('live figures tell sizes of requests apart, and take all of them for a size unseen', () => {
    const figures = createFigures();
    expect(expectedFirstByte(figures, true, 0, 0)).toBeNull();
    for (let one = 0; one < 60; one += 1) observeFirstByte(figures, true, 0, 100);
    for (let one = 0; one < 60; one += 1) observeFirstByte(figures, true, 2, 900);
    expect(expectedFirstByte(figures, true, 0, 0)).toBeCloseTo(100, 3);
    expect(expectedFirstByte(figures, true, 2, 0)).toBeCloseTo(900, 3);
    expect(expectedFirstByte(figures, true, 1, 0)).toBeCloseTo(900, -1);
    // A whole answer's first byte follows its last token: streams say nothing of it.
    expect(expectedFirstByte(figures, false, 0, 0)).toBeNull();
    expect(firstByteOf(figures, true, SIZES.length)).toBeCloseTo(900, -1);
  });

  test('live figures call a request small below 4 KiB and large from 32 KiB', () => {
    expect([0, 4095, 4096, 32_767, 32_768, 1e9].map(sizeOf)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test('live figures forget half of a failure in a minute, asked or not', () => {
    const figures = createFigures();
    for (let one = 0; one < 9; one += 1) observeAttempt(figures, one > 2, 0);
    expect(errorRate(figures, 0)).toBeCloseTo(0.3, 12);
    expect(errorRate(figures, ERROR_HALF_MS)).toBeCloseTo(1.5 / 5.5, 12);
    expect(errorRate(figures, 60 * ERROR_HALF_MS)).toBeCloseTo(0, 12);
  });

  test('live figures make one that fails slow, and ask it again once that has faded', () => {
    const figures = createFigures();
    for (let one = 0; one < 5; one += 1) observeAttempt(figures, false, 0);
    expect(expectedFirstByte(figures, true, 0, 0)).toBeGreaterThan(4000);
    expect(expectedFirstByte(figures, true, 0, 10 * ERROR_HALF_MS)).toBeNull();
  });

  test('live figures keep the cost of answers whose price is stated', () => {
    const figures = createFigures();
    observeAnswer(figures, null, 100);
    expect(figures.cost_usd).toBeNaN();
    observeAnswer(figures, 0.02, 300);
    expect(figures.cost_usd).toBe(0.02);
    expect(figures.tokens_out).toBeCloseTo(110, 12);
  });

  test('live figures stay within what was seen, whatever comes in whatever order', () => {
    const ms = fc.double({ min: 0, max: 1e6, noNaN: true });
    const seen = fc.array(fc.tuple(fc.boolean(), fc.nat(2), ms), { minLength: 1 });
    fc.assert(
      fc.property(seen, fc.array(fc.tuple(fc.boolean(), fc.nat(1e7))), (bytes, attempts) => {
        const figures = createFigures();
        for (const [streamed, size, ms] of bytes) observeFirstByte(figures, streamed, size, ms);
        // A clock may be read twice in a moment, and never runs backwards for long.
        for (const [ok, at_ms] of attempts) observeAttempt(figures, ok, at_ms);
        const most = Math.max(...bytes.map(([, , ms]) => ms));
        const means = [...figures.first_byte_ms].filter((mean) => !Number.isNaN(mean));
        expect(means.every((mean) => mean >= 0 && mean <= most * (1 + 1e-12))).toBe(true);
        const rate = errorRate(figures, 1e7);
        expect(rate >= 0 && rate < 1).toBe(true);
      }),
      { seed: 6 },
    );
  });
});
