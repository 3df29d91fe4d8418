import { describe, expect, test } from 'vitest';
import { createMetrics, METRICS, SERIES_MAX, totalsOf } from '../../src/core/metrics.ts';

describe('metrics', () => {
  test('a counter adds by its labels and a snapshot does not change afterwards', () => {
    const metrics = createMetrics();
    metrics.add('hive_attempts_total', ['mini', 'ok']);
    metrics.add('hive_attempts_total', ['mini', 'ok'], 2);
    const snapshot = metrics.snapshot();
    metrics.add('hive_attempts_total', ['mini', 'ok']);
    expect(snapshot.hive_attempts_total?.[0]).toMatchObject({
      labels: ['mini', 'ok'],
      value: 3,
    });
  });

  test('a histogram puts a value into the bucket whose upper bound is not below it', () => {
    const metrics = createMetrics();
    for (const seconds of [0.005, 0.006, 100]) metrics.observe('hive_cycle_seconds', seconds);
    const series = metrics.snapshot().hive_cycle_seconds?.[0];
    expect(series?.buckets[0]).toBe(1);
    expect(series?.buckets[1]).toBe(1);
    expect(series?.buckets.at(-1)).toBe(1);
    expect(series?.count).toBe(3);
    expect(series?.value).toBeCloseTo(100.011);
  });

  test('series stay bounded however many label values arrive', () => {
    const metrics = createMetrics();
    for (let index = 0; index < 100_000; index += 1) {
      metrics.add('hive_calls_total', [`agent-${index}`, 'ok']);
      metrics.observe('hive_first_token_seconds', 1, [`target-${index}`]);
    }
    const { hive_calls_total: calls = [], hive_first_token_seconds: times = [] } =
      metrics.snapshot();
    for (const series of [calls, times]) expect(series).toHaveLength(SERIES_MAX + 1);
    const rest = 100_000 - SERIES_MAX;
    expect(calls.at(-1)).toMatchObject({ labels: ['other', 'other'], value: rest });
    expect(times.at(-1)).toMatchObject({ labels: ['other'], count: rest });
  });

  test('every declared name has our prefix, and counters end in _total', () => {
    for (const [name, declaration] of Object.entries(METRICS)) {
      expect(name).toMatch(/^hive_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(declaration.kind === 'counter');
    }
  });
});

describe('totalsOf', () => {
  test('totalsOf keeps what a process has counted, and forgets how it was', () => {
    const metrics = createMetrics();
    metrics.add('hive_attempts_total', ['mini', 'ok']);
    metrics.set('hive_calls_open', 3);
    metrics.observe('hive_cycle_seconds', 1);
    const kept = totalsOf(metrics.snapshot());
    expect(Object.keys(kept).sort()).toEqual(['hive_attempts_total', 'hive_cycle_seconds']);
  });
});
