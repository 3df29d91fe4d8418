import { expect, onTestFinished, test } from 'vitest';
import { watchProcess } from '../../src/config/process-metrics.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { until } from '../kit/until.ts';

test('watchProcess sees a blocked event loop, and how much memory is in use', async () => {
  const metrics = createMetrics();
  const watch = watchProcess(metrics, 'worker');
  onTestFinished(() => watch.close());
  const longest = (): number => {
    const until_ms = performance.now() + 150;
    while (performance.now() < until_ms);
    watch.measure();
    const [delays] = metrics.snapshot().hive_event_loop_delay_seconds ?? [];
    return delays?.value ?? 0;
  };
  await until(() => longest() >= 0.1, { what: 'a delay that was seen' });
  const { hive_heap_used_bytes, hive_resident_memory_bytes } = metrics.snapshot();
  expect(hive_heap_used_bytes?.[0]).toMatchObject({ labels: ['worker'] });
  expect(hive_heap_used_bytes?.[0]?.value).toBeGreaterThan(1e6);
  expect(hive_resident_memory_bytes?.[0]?.value).toBeGreaterThan(1e7);
});
