import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createLatencyEvidence,
  freezeReference,
  latencyEvidenceLn,
  latencyScore,
  observeScore,
  REFERENCE_UNITS,
} from '../../src/core/latency-evidence.ts';

const reference = freezeReference(Array.from({ length: REFERENCE_UNITS }, (_, at) => 100 + at));

describe('freezeReference', () => {
  test('freezeReference sets the bar above p95: 1.25 times, or 50 ms', () => {
    expect(reference.bar_ms).toBe(168 + 50);
    expect(freezeReference([300, 400]).bar_ms).toBe(500);
    expect(freezeReference([10, 20]).bar_ms).toBe(70);
  });
});

describe('latencyScore', () => {
  test('latencyScore rises with the latency and is 0 in the middle', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 400, noNaN: true }), (latency) => {
        const score = latencyScore(reference, latency);
        expect(latencyScore(reference, latency + 1)).toBeGreaterThanOrEqual(score);
        expect(Math.abs(score)).toBeLessThan(3);
      }),
    );
    expect(latencyScore(reference, 135.5)).toBeCloseTo(0, 1);
    expect(latencyScore(freezeReference([5, 5, 5]), 5)).toBeCloseTo(0, 6);
  });
});

describe('latencyEvidenceLn', () => {
  test('latencyEvidenceLn has mean 1 over the arm of a unit, whatever came before', () => {
    const score = fc.double({ min: -3, max: 3, noNaN: true });
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(score, fc.boolean()), { maxLength: 30 }),
        score,
        share,
        (before, z, q) => {
          const evidenceWith = (last: boolean | null): number => {
            const evidence = createLatencyEvidence();
            for (const [past, arm] of before) observeScore(evidence, past, arm, q);
            if (last !== null) observeScore(evidence, z, last, q);
            return latencyEvidenceLn(evidence);
          };
          const now = evidenceWith(null);
          const mean =
            q * Math.exp(evidenceWith(true) - now) + (1 - q) * Math.exp(evidenceWith(false) - now);
          expect(mean).toBeCloseTo(1, 8);
        },
      ),
    );
  });
});
