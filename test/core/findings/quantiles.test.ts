import { describe, expect, test } from 'vitest';
import { quantileDraft } from '../../../src/core/findings/quantile-draft.ts';
import { type QuantileTest, testQuantile } from '../../../src/core/findings/quantiles.ts';
import { isMissing } from '../../../src/core/findings/rates.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import type { Observation } from '../../../src/core/observation.ts';
import { cell, hourly, lognormal, observed } from '../../oracle/observation.ts';

const SETTINGS = { correlation: 0.1, margin: 0.05 };
const timed = (target: string | null, middle: number, count: number, seed = 1) =>
  cell(target, 'error', 0, count, { quantities: { latency_ms: lognormal(middle, count, seed) } });

function testIn(observation: Observation, share = 0.5) {
  const scene = sceneOf(observation);
  const [first] = observation.segments;
  if (!first) throw new Error('no cell');
  return testQuantile(scene, first, 'latency_ms', share, SETTINGS);
}

function held(observation: Observation, share = 0.5): QuantileTest {
  const test = testIn(observation, share);
  if (test === null || isMissing(test)) throw new Error('there is no test');
  return test;
}

describe('testQuantile', () => {
  test('testQuantile finds a fifth more latency in 2,000 calls, at p50 and p95', () => {
    const observation = observed([timed(null, 960, 2000)], [timed(null, 800, 14000, 2)]);
    for (const share of [0.5, 0.95]) {
      const result = held(observation, share);
      expect(result).toMatchObject({ clears: true, yardstick: { kind: 'past' } });
      expect(result.p).toBeLessThan(1e-4);
      expect(result.estimate / result.yardstick.value).toBeCloseTo(1.2, 1);
    }
  });

  test('testQuantile leaves a rise below its margin untold, however sure it is', () => {
    const observation = observed([timed(null, 824, 40000)], [timed(null, 800, 40000, 2)]);
    expect(held(observation)).toMatchObject({ clears: false });
  });

  test('testQuantile does not call a target slow for being slower than another', () => {
    const segments = [timed('large', 1600, 2000), timed('mini', 400, 2000, 2)];
    const past = [timed('large', 1600, 9000, 3), timed('mini', 400, 9000, 4)];
    expect(held(observed(segments, past))).toMatchObject({ clears: false });
    expect(held(observed(segments))).toMatchObject({
      yardstick: { kind: 'threshold', value: 3000 },
    });
  });

  test('testQuantile leaves to the agent what slowed all its targets', () => {
    const segments = [timed('large', 1200, 2000), timed('mini', 600, 2000, 2)];
    const past = [timed('large', 1000, 9000, 3), timed('mini', 500, 9000, 4)];
    expect(held(observed(segments, past))).toMatchObject({ clears: false });
    const alone = [timed('large', 1200, 2000), timed('mini', 500, 2000, 2)];
    expect(held(observed(alone, past))).toMatchObject({ clears: true });
  });

  test('testQuantile counts the doubt of a yardstick that nights of few calls have made', () => {
    // All traffic came in the eight hours of the night, which are 10 % faster in a noisy past.
    const series = (noise: number) => {
      const line = hourly('latency_p50_ms', (hour) => (hour % 24 < 8 ? 720 : 800), { noise });
      return {
        ...line,
        counts: line.values.map((_, hour) => (hour < 168 ? 25 : hour % 24 < 8 ? 400 : 25)),
      };
    };
    const now = [timed(null, 820, 4000)];
    const past = [timed(null, 790, 4200, 2)];
    const sure = held(observed(now, past, { series: [series(0.01)] }));
    expect(sure).toMatchObject({ firm: true, yardstick: { kind: 'season' } });
    const unsure = held(observed(now, past, { series: [series(0.35)] }));
    expect(unsure.doubt).toBeGreaterThan(2.5 * sure.doubt);
    expect(unsure.firm).toBe(false);
    expect(unsure.p).toBeGreaterThan(1e-3);
  });

  test('testQuantile says how many calls are missing, more where few users make them', () => {
    expect(testIn(observed([timed(null, 800, 50)]), 0.95)).toMatchObject({
      units: 50,
      required: 72,
    });
    const few = { ...timed(null, 800, 100), users: 10 };
    expect(testIn(observed([few]), 0.95)).toMatchObject({ of: 'calls', required: 137 });
  });
});

test('quantileDraft says quantile, interval, yardstick, and what would disprove it', () => {
  const observation = observed([timed(null, 960, 2000)], [timed(null, 800, 14000, 2)]);
  const draft = quantileDraft(sceneOf(observation), held(observation), { level: 'act' });
  expect(draft.text).toBe(
    'The median latency of agent duo is 963 ms (95 % interval 944 ms to 1,002 ms, 2,000 calls), ' +
      'against 804 ms in its own seven days before: 19.7 % more.',
  );
  expect(draft.disproof).toMatch(
    /^Wrong if the median latency of the next 2,000 calls is \d+ ms or less/,
  );
  expect(draft).toMatchObject({
    metric: 'latency_ms',
    measure: 'ms',
    level: 'act',
    severity: 'info',
  });
});
