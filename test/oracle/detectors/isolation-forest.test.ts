import { expect, test } from 'vitest';
import type { Series } from '../../../src/core/observation.ts';
import { definition } from '../../../src/oracle/detectors/isolation-forest.ts';
import { cell, detectWith, hourly, observed } from '../observation.ts';

const HOURS = 8 * 24;
const detect = (series: readonly Series[]) =>
  detectWith(definition, observed([cell(null, 'error', 0, 100)], [], { series }));

const LEVELS = { latency_p50_ms: 800, tokens_mean: 300, cost_mean_usd: 0.01 } as const;
const features = (last: number, seed = 0): Series[] =>
  Object.entries(LEVELS).map(([metric, level], index) =>
    hourly(metric as Series['metric'], (hour) => (hour === HOURS - 1 ? last : 1) * level, {
      seed: seed * 10 + index + 1,
    }),
  );

test('isolation-forest opens an investigation of a combination never seen, and never acts', () => {
  const { findings } = detect(features(2));
  expect(findings.map(({ level }) => level)).toEqual(['investigate']);
  expect(findings[0]?.p).toBeLessThan(1e-9);
  expect(findings[0]?.text).toMatch(/a combination hardly seen before/);
});

test('isolation-forest is silent on ordinary hours, and gives the same each time', () => {
  for (let seed = 0; seed < 20; seed += 1) expect(detect(features(1, seed)).findings).toEqual([]);
  expect(detect(features(2))).toEqual(detect(features(2)));
});

test('isolation-forest does not count twice what always moves together', () => {
  const last = (level: number) => (hour: number) => (hour === HOURS - 1 ? 1.3 : 1) * level;
  // Dearer because longer: by the same noise, or by one of its own.
  const found = [0, 100].map((other) => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed + 1);
    return seeds.filter((seed) => {
      const tokens = hourly('tokens_mean', last(300), { seed });
      const cost = hourly('cost_mean_usd', last(0.01), { seed: seed + other });
      return detect([tokens, cost]).findings.length > 0;
    }).length;
  });
  const [same, own] = found as [number, number];
  expect(own).toBeGreaterThan(16);
  expect(same).toBeLessThan(own);
});
