import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantiate } from '../../../src/core/definition.ts';
import type { DetectorResult, SegmentObservation } from '../../../src/core/oracle.ts';
import { wilsonInterval } from '../../../src/core/statistics.ts';
import { definition } from '../../../src/oracle/detectors/unit-rate.ts';
import { HOST, POLICY, segmentOf } from '../kit.ts';

const HOUR_MS = 3_600_000;

function detect(
  segments: readonly SegmentObservation[],
  past: readonly SegmentObservation[] = [],
): DetectorResult {
  const detector = instantiate(definition, {}, HOST);
  return detector({
    at_ms: 100 * HOUR_MS,
    window: { from_ms: 76 * HOUR_MS, to_ms: 100 * HOUR_MS },
    version: 'v',
    segments,
    past,
    halves: [[], []],
    series: [],
    loads: [],
    frozen: [],
    thresholds: POLICY.oracle.thresholds,
  });
}

const rated = (units: number, events: number) => ({
  rates: { error: { units: 100, events: 0 }, dissatisfied: { units, events } },
});

describe('unit-rate', () => {
  test('unit-rate finds an agent above the policy threshold and says so in a sentence', () => {
    const { findings, insufficient } = detect([segmentOf('solo', null, rated(60, 48))]);
    expect(insufficient).toEqual([]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      segment: { agent: 'solo', target: null },
      metric: 'dissatisfied',
      n: 48,
      units: 60,
      severity: 'critical',
      yardstick: { kind: 'threshold', value: 0.15 },
      evidence: ['call_1'],
    });
    expect(findings[0]?.effect).toBeCloseTo(0.65, 12);
    expect(findings[0]?.text).toBe(
      '48 of 60 units that rated agent solo were dissatisfied: 80.0 % ' +
        "(95 % interval 68.2 % to 88.2 %), above the policy's threshold, 15.0 %.",
    );
  });

  test('unit-rate holds a target against the agent’s other targets at the same time', () => {
    const { findings } = detect([
      segmentOf('duo', null, rated(100, 50)),
      segmentOf('duo', 'demo', rated(50, 45)),
      segmentOf('duo', 'mini', rated(50, 5)),
    ]);
    expect(findings.map(({ segment }) => segment.target)).toEqual(['demo']);
    expect(findings[0]?.yardstick).toEqual({ kind: 'peers', value: 0.1 });
  });

  test('unit-rate blames the agent where all its targets are bad alike', () => {
    const { findings } = detect([
      segmentOf('duo', null, rated(100, 60)),
      segmentOf('duo', 'demo', rated(50, 30)),
      segmentOf('duo', 'mini', rated(50, 30)),
    ]);
    expect(findings.map(({ segment }) => segment.target)).toEqual([null]);
  });

  test('unit-rate says one thing once of an agent with one target', () => {
    const { findings } = detect([
      segmentOf('solo', null, rated(60, 48)),
      segmentOf('solo', 'demo', rated(60, 48)),
    ]);
    expect(findings).toHaveLength(1);
  });

  test('unit-rate takes the own past as yardstick only while that was within the threshold', () => {
    const now = [segmentOf('solo', null, { rates: { error: { units: 1000, events: 40 } } })];
    const good = [segmentOf('solo', null, { rates: { error: { units: 5000, events: 50 } } })];
    const { findings } = detect(now, good);
    expect(findings[0]).toMatchObject({
      metric: 'error',
      severity: 'info',
      yardstick: { kind: 'past', value: 0.01 },
    });
    const bad = [segmentOf('solo', null, rated(500, 400))];
    const lasting = detect([segmentOf('solo', null, rated(60, 48))], bad);
    expect(lasting.findings[0]?.yardstick.kind).toBe('threshold');
  });

  test('unit-rate reports too little data with what is required and when it may be there', () => {
    const { findings, insufficient } = detect([segmentOf('solo', null, rated(10, 10))]);
    expect(findings).toEqual([]);
    expect(insufficient).toEqual([
      {
        segment: { agent: 'solo', target: null },
        metric: 'dissatisfied',
        units: 10,
        required: 20,
        of: 'units',
        eta_ms: 124 * HOUR_MS,
      },
    ]);
    const silent = detect([segmentOf('solo', null)]);
    expect(silent.insufficient[0]).toMatchObject({ units: 0, eta_ms: null });
  });

  test('unit-rate finds what has 20 units, 5 events and an interval above the yardstick', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.nat({ max: 300 }), (events, rest) => {
        const units = events + rest;
        const { findings } = detect([segmentOf('solo', null, rated(units, events))]);
        const clears = wilsonInterval(events, units)[0] > 0.15;
        expect(findings.length === 1).toBe(units >= 20 && events >= 5 && clears);
      }),
    );
  });
});
