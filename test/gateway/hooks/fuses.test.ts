import { expect, test } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.ts';
import { createFuses, recordPlugins } from '../../../src/gateway/hooks/fuses.ts';

test('fuses add up what became of a plugin, and say where it is passed over', () => {
  const fuses = createFuses();
  fuses.of('one', null, 'guard').admits(0);
  fuses.of('one', null, 'guard').record(true, 1, 0.5);
  const broken = fuses.of('two', 'exp_1', 'guard');
  for (let run = 0; run < 10; run += 1) {
    broken.admits(0);
    broken.record(false, 0, 0.25);
  }
  broken.tally.bypassed += 10;
  expect(broken.admits(0)).toBe(false);
  expect(fuses.report()).toEqual({
    guard: { calls: 11, ms: 3, bypassed: 10, open: ['two'] },
  });
  const metrics = createMetrics();
  recordPlugins(metrics, fuses.report());
  const { hive_plugin_calls_total, hive_plugin_open } = metrics.snapshot();
  expect(hive_plugin_calls_total?.[0]).toMatchObject({ labels: ['guard'], value: 11 });
  expect(hive_plugin_open?.[0]).toMatchObject({ labels: ['guard'], value: 1 });
  fuses.close();
});

test('fuses keep what those that were forgotten had counted', () => {
  const fuses = createFuses();
  for (let agent = 0; agent < 5000; agent += 1) {
    const fuse = fuses.of(`agent${agent}`, null, 'guard');
    fuse.admits(0);
  }
  expect(fuses.report().guard?.calls).toBe(5000);
  expect(fuses.of('agent0', null, 'guard').closed).toBe(false);
  fuses.close();
});
