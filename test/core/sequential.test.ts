import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evidenceLn, isSilence, splitDeviation } from '../../src/core/sequential.ts';
import { splitPValue } from '../../src/core/statistics.ts';

const counts = fc.record({
  q: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  canary: fc.nat({ max: 400 }),
  control: fc.nat({ max: 400 }),
});

describe('evidenceLn', () => {
  test('evidenceLn with weights still has mean 1 after one event', () => {
    const weights = [0.04, 0.04, 0.07, 0.1, 0.15, 0.22, 0.22, 0.16];
    fc.assert(
      fc.property(counts, ({ q, canary, control }) => {
        const now = evidenceLn([{ q, canary, control }], 'harm', weights);
        const more = evidenceLn([{ q, canary: canary + 1, control }], 'harm', weights);
        const fewer = evidenceLn([{ q, canary, control: control + 1 }], 'harm', weights);
        expect(Math.exp(now)).toBeGreaterThanOrEqual(0);
        expect(q * Math.exp(more - now) + (1 - q) * Math.exp(fewer - now)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('evidenceLn with equal weights is evidenceLn without', () => {
    const weights = Array.from({ length: 8 }, () => 1 / 8);
    const cells = [{ q: 0.05, canary: 4, control: 11 }];
    expect(evidenceLn(cells, 'harm', weights)).toBeCloseTo(evidenceLn(cells), 12);
  });
});

describe('splitDeviation', () => {
  test('splitDeviation squared is the chi-square of splitPValue', () => {
    const tallies = [{ q: 0.05, canary: 83, control: 1000 }];
    const deviation = splitDeviation(tallies);
    expect(deviation).toBeCloseTo((83 - 0.05 * 1083) / Math.sqrt(1083 * 0.05 * 0.95), 9);
    expect(splitPValue(tallies)).toBeLessThan(0.001);
    expect(splitDeviation([])).toBe(0);
  });
});

describe('isSilence', () => {
  test('isSilence needs half an hour and units that make it improbable', () => {
    expect(isSilence(30 * 60_000, 270, 0.05)).toBe(true);
    expect(isSilence(30 * 60_000, 260, 0.05)).toBe(false);
    expect(isSilence(29 * 60_000, 5000, 0.05)).toBe(false);
    expect(isSilence(60 * 60_000, 19, 0.9)).toBe(false);
  });
});
