import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/core/oracle.ts';
import { analyze } from '../../src/oracle/analyze.ts';
import { findingFor, POLICY, testId } from './kit.ts';

describe('analyze', () => {
  test('analyze names each finding and its detector, and puts the gravest first', () => {
    const drafts = [
      findingFor('a', { severity: 'warning', effect: 0.9 }),
      findingFor('b', { severity: 'critical', effect: 0.2 }),
      findingFor('c', { severity: 'critical', effect: 0.7 }),
    ].map(
      ({ id: _id, detector: _detector, key: _key, support: _support, ...draft }: Finding) => draft,
    );
    const observation = {
      at_ms: 9,
      window: { from_ms: 0, to_ms: 9 },
      version: 'v1',
      segments: [],
      past: [],
      halves: [[], []] as const,
      series: [],
      loads: [],
      frozen: [],
      thresholds: POLICY.oracle.thresholds,
    };
    const detect = () => ({ findings: drafts, insufficient: [] });
    const analysis = analyze(observation, [{ name: 'seen', detect }], testId);
    expect(analysis).toMatchObject({ at_ms: 9, version: 'v1', window: { from_ms: 0, to_ms: 9 } });
    expect(analysis.findings.map(({ segment }) => segment.agent)).toEqual(['c', 'b', 'a']);
    expect(new Set(analysis.findings.map(({ id }) => id)).size).toBe(3);
    expect(analysis.findings.every(({ detector }) => detector === 'seen')).toBe(true);
  });
});
