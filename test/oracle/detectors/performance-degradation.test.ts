import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/performance-degradation.ts';
import {
  cell,
  detectWith,
  HOUR,
  hourly,
  lognormal,
  NOW_MS,
  observed,
  toldOf,
} from '../observation.ts';

const detect = (observation: Parameters<typeof detectWith>[1]) =>
  detectWith(definition, observation);

describe('performance-degradation', () => {
  test('performance-degradation finds three points of errors and says it in a sentence', () => {
    const result = detect(
      observed([cell(null, 'error', 80, 2000)], [cell(null, 'error', 140, 14000)]),
    );
    expect(toldOf(result)).toEqual(['agent error act']);
    expect(result.findings[0]?.text).toBe(
      '80 of 2,000 units of agent duo had an error: 4.0 % (95 % interval 3.2 % to 5.0 %), ' +
        'against 1.0 % in its own seven days before.',
    );
    expect(result.findings[0]).toMatchObject({ severity: 'info', n: 80, units: 2000, e: null });
  });

  test('performance-degradation names the target that fails, and the agent where all do', () => {
    const past = [
      cell(null, 'error', 120, 12000),
      cell('demo', 'error', 60, 6000),
      cell('mini', 'error', 60, 6000),
    ];
    const one = [
      cell(null, 'error', 110, 2000),
      cell('demo', 'error', 100, 1000),
      cell('mini', 'error', 10, 1000),
    ];
    expect(toldOf(detect(observed(one, past)))).toContain('demo error act');
    const all = [
      cell(null, 'error', 120, 2000),
      cell('demo', 'error', 60, 1000),
      cell('mini', 'error', 60, 1000),
    ];
    expect(toldOf(detect(observed(all, past)))).toEqual(['agent error act']);
  });

  test('performance-degradation judges an agent with one target once, as the agent', () => {
    const segments = [cell(null, 'error', 48, 60), cell('demo', 'error', 48, 60)];
    expect(toldOf(detect(observed(segments)))).toEqual(['agent error act']);
  });

  test('performance-degradation does not act on an agent in an experiment', () => {
    const frozen = detect(observed([cell(null, 'error', 48, 60)], [], { frozen: ['duo'] }));
    expect(toldOf(frozen)).toEqual(['agent error investigate']);
    expect(frozen.findings[0]?.text).toMatch(/An experiment runs on the agent/);
  });

  test('performance-degradation blocks what only a change of the mix made (Simpson)', () => {
    const of = (category: string, events: number, units: number) =>
      cell(null, 'error', events, units, { category });
    const now = [cell(null, 'error', 81, 1000), of('code', 80, 900), of('chat', 1, 100)];
    const past = [cell(null, 'error', 190, 10000), of('code', 100, 1000), of('chat', 90, 9000)];
    const result = detect(observed(now, past));
    expect(toldOf(result)).toEqual(['agent error note']);
    expect(result.findings[0]?.text).toMatch(/Simpson/);
  });

  test('performance-degradation finds hours of trouble in a good day, and when it began', () => {
    // 5 % in the last three hours of a window that holds a day of 1 %: over the day it is 1.5 %.
    const series = [hourly('error', (hour) => (hour >= 189 ? 0.05 : 0.01), { count: 600 })];
    const segments = [cell(null, 'error', 216, 14400)];
    const past = [cell(null, 'error', 1008, 100800)];
    const found = detect(observed(segments, past, { series })).findings[0];
    expect(found).toMatchObject({ metric: 'error', level: 'act', since_ms: NOW_MS - 3 * HOUR });
    expect(found?.p).toBeLessThan(1e-6);
  });

  test('performance-degradation finds a slower median, and nothing in a quiet day', () => {
    const at = (middle: number, count: number, seed: number) =>
      cell(null, 'error', 5, count, { quantities: { latency_ms: lognormal(middle, count, seed) } });
    const past = [at(800, 14000, 9)];
    expect(toldOf(detect(observed([at(960, 2000, 1)], past)))).toContain('agent latency_ms act');
    expect(toldOf(detect(observed([at(800, 2000, 2)], past)))).toEqual([]);
  });

  test('performance-degradation says how much data it lacks', () => {
    const { insufficient } = detect(observed([cell(null, 'error', 3, 9)]));
    expect(insufficient).toMatchObject([{ metric: 'error', units: 9, required: 20, of: 'units' }]);
  });
});
