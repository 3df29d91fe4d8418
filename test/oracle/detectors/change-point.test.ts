import { expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/change-point.ts';
import { detectWith, HOUR, hourly, NOW_MS, observed, toldOf } from '../observation.ts';

const HOURS = 8 * 24;
const season = (hour: number): number => 1 + 0.3 * Math.sin((hour / 24) * 2 * Math.PI);
const detect = (series: Parameters<typeof observed>[2]) =>
  detectWith(definition, observed([], [], series));

test('change-point finds since when latency is at another level, on top of a season', () => {
  const level = (hour: number): number => 800 * season(hour) * (hour >= HOURS - 10 ? 1.3 : 1);
  const result = detect({ series: [hourly('latency_p50_ms', level)] });
  expect(toldOf(result)).toEqual(['agent latency_ms investigate']);
  const [finding] = result.findings;
  expect(Math.abs((finding?.since_ms ?? 0) - (NOW_MS - 10 * HOUR))).toBeLessThanOrEqual(HOUR);
  expect((finding?.estimate ?? 0) / (finding?.yardstick.value ?? 1)).toBeCloseTo(1.3, 1);
  expect(finding?.text).toMatch(
    /^Since .* UTC the median latency of agent duo is .* a change of level\)\.$/,
  );
});

test('change-point only notes that something got better', () => {
  const level = (hour: number): number => (hour >= HOURS - 10 ? 500 : 800);
  const result = detect({ series: [hourly('latency_p50_ms', level)] });
  expect(result.findings).toMatchObject([{ level: 'note', direction: 'better' }]);
});

test('change-point tells nothing of 200 series in which nothing happened', () => {
  const series = Array.from({ length: 200 }, (_, seed) => ({
    ...hourly('latency_p50_ms', (hour) => 800 * season(hour), { seed: seed + 1 }),
    segment: { agent: 'duo', target: `t${seed}` },
  }));
  expect(toldOf(detect({ series }))).toEqual([]);
});

test('change-point knows a weekend by the one before, and a new one by nothing', () => {
  // Days from a Monday on: half of the calls on Saturdays and Sundays.
  const load = (hour: number): number => 60 * season(hour) * (hour % 168 >= 120 ? 0.5 : 1);
  for (const days of [6, 7, 13, 14]) {
    const series = hourly('calls', load, { days, noise: 0.15, seed: days });
    expect(toldOf(detect({ series: [series] }))).toEqual([]);
  }
  const fewer = (hour: number): number => load(hour) * (hour >= 14 * 24 - 10 ? 0.3 : 1);
  const series = hourly('calls', fewer, { days: 14, noise: 0.15 });
  expect(toldOf(detect({ series: [series] }))).toEqual(['agent load note']);
});
