import { describe, expect, test } from 'vitest';
import { createCurrent } from '../../../src/config/current.ts';
import type { Snapshot } from '../../../src/config/snapshot.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import type { GatewayReport } from '../../../src/core/state.ts';
import { createPermits } from '../../../src/gateway/canary/permits.ts';
import { createReporter } from '../../../src/gateway/processes/report.ts';
import { oraclePolicy, smallPolicy } from '../../core/policy.ts';
import { until } from '../../kit/until.ts';
import { createHandClock } from '../hand-clock.ts';
import { createMemoryBus } from '../memory-bus.ts';

const snapshot: Snapshot = {
  version: 'abc',
  epoch: 7,
  policy: smallPolicy,
  agents: new Map(),
  experiments: new Map(),
  targets: new Map(),
  categories: null,
  ab: new Map(),
  superseded: [],
};

describe('createReporter', () => {
  test('createReporter says again and again how the gateway is, until it is closed', async () => {
    const time = createHandClock();
    const metrics = createMetrics();
    const sent: GatewayReport[] = [];
    const triggers = () => oraclePolicy.safety.rollback;
    const { clock, after } = time;
    const bus = createMemoryBus();
    const permits = createPermits({ clock, after, bus, log: silentLog, metrics, triggers });
    permits.receive([{ experiment: 'exp_1', epoch: 1, share: 0.05, ttl_ms: 1 }]);
    time.advance(1);
    const reporter = createReporter({
      clock,
      metrics,
      permits,
      current: createCurrent(snapshot),
      policyError: () => 'gateway.yaml:1:1 broken',
      frozen: () => true,
      callsOpen: () => 3,
      targets: () => ({ demo: { breaker: 'closed', in_flight: 3 } }),
      plugins: () => ({ guard: { calls: 4, ms: 2, bypassed: 1, open: ['a'] } }),
      children: () => ({ worker: { state: 'running', pid: 5, restarts: 0 } }),
      send: (report) => sent.push(report),
      every_ms: 5,
    });
    await until(() => sent.length >= 2, { what: 'two reports' });
    reporter.close();
    expect(sent[0]).toEqual({
      version: 'abc',
      epoch: 7,
      at_ms: clock.policy_ms(),
      policy_error: 'gateway.yaml:1:1 broken',
      frozen: true,
      calls_open: 3,
      targets: { demo: { breaker: 'closed', in_flight: 3 } },
      plugins: { guard: { calls: 4, ms: 2, bypassed: 1, open: ['a'] } },
      withheld: { exp_1: expect.stringContaining('expired') },
      children: { worker: { state: 'running', pid: 5, restarts: 0 } },
      metrics: expect.objectContaining({
        hive_target_in_flight: [expect.objectContaining({ labels: ['demo'], value: 3 })],
        hive_target_queue_waiting: [expect.objectContaining({ labels: ['demo'], value: 0 })],
        hive_canary_withheld_total: [expect.objectContaining({ labels: ['expired'], value: 1 })],
      }),
    });
    // What was sent stays as it was: a report is a value.
    metrics.add('hive_canary_withheld_total', ['expired']);
    expect(sent[0]?.metrics.hive_canary_withheld_total?.[0]?.value).toBe(1);
  });
});
