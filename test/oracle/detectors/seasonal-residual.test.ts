import { expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/seasonal-residual.ts';
import { detectWith, hourly, observed, toldOf } from '../observation.ts';

const HOURS = 8 * 24;
const season = (hour: number): number => 1 + 0.3 * Math.sin((hour / 24) * 2 * Math.PI);
const detect = (change: Parameters<typeof observed>[2]) =>
  detectWith(definition, observed([], [], change));

test('seasonal-residual finds that the last hours are far from what their season promised', () => {
  const level = (hour: number): number => 800 * season(hour) * (hour >= HOURS - 3 ? 2 : 1);
  const result = detect({ series: [hourly('latency_p50_ms', level)] });
  expect(toldOf(result)).toEqual(['agent latency_ms investigate']);
  expect(result.findings[0]?.yardstick.kind).toBe('season');
});

test('seasonal-residual takes the daily peak for what it is, in 60 series of nothing', () => {
  const series = Array.from({ length: 60 }, (_, seed) => ({
    ...hourly('latency_p50_ms', (hour) => 800 * season(hour), { seed: seed + 1 }),
    segment: { agent: 'duo', target: `t${seed}` },
  }));
  expect(toldOf(detect({ series }))).toEqual([]);
});
