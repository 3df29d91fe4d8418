import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.ts';
import type { GatewayReport } from '../../../src/core/state.ts';
import { mergeReports } from '../../../src/gateway/processes/merge-reports.ts';

function report(over: Partial<GatewayReport>): GatewayReport {
  return {
    version: 'v1',
    epoch: 1,
    at_ms: 1,
    policy_error: null,
    frozen: false,
    calls_open: 0,
    targets: {},
    withheld: {},
    metrics: {},
    ...over,
  };
}

const merge = (...reports: GatewayReport[]) =>
  mergeReports({ reports, children: { worker: CHILD }, metrics: [] });
const CHILD = { state: 'running', pid: 7, restarts: 0 } as const;

describe('mergeReports', () => {
  test('mergeReports has nothing to say before the first report', () => {
    expect(merge()).toBeNull();
  });

  test('mergeReports tells the version that the slowest still serves', () => {
    const behind = report({ version: 'v1', epoch: 1, at_ms: 5 });
    const ahead = report({ version: 'v2', epoch: 2, at_ms: 4 });
    const merged = merge(ahead, behind);
    expect(merged).toMatchObject({ version: 'v1', epoch: 1, at_ms: 5, policy_error: null });
    expect(merged?.children).toEqual({ worker: CHILD });
  });

  test('mergeReports adds up what has become of plugins’ hooks', () => {
    const one = { calls: 2, ms: 1, bypassed: 0, open: ['a'] };
    const merged = merge(
      report({ plugins: { guard: one } }),
      report({ plugins: { guard: { ...one, bypassed: 3, open: ['a', 'b'] } } }),
      report({}),
    );
    expect(merged?.plugins).toEqual({ guard: { calls: 4, ms: 2, bypassed: 3, open: ['a', 'b'] } });
  });

  test('mergeReports tells how a target has done lately as the worse process has it', () => {
    const all = { small: 5, medium: null, large: null, all: 5 };
    const lately = {
      first_byte_ms: { stream: all, whole: all },
      error_rate: 0.1,
      headroom: 0.5,
      requests_left: null,
      tokens_left: 9,
      cost_usd: null,
      tokens_out: 3,
    };
    const target = { breaker: 'closed', in_flight: 1 };
    const worse = {
      ...lately,
      error_rate: 0.4,
      headroom: 0.2,
      requests_left: 7,
      tokens_left: null,
    };
    const merged = merge(
      report({ targets: { main: { ...target, lately }, idle: target } }),
      report({ targets: { main: { ...target, lately: worse }, idle: { ...target, lately } } }),
    );
    expect(merged?.targets.main?.lately).toEqual({
      ...lately,
      error_rate: 0.4,
      headroom: 0.2,
      requests_left: 7,
    });
    expect(merged?.targets.idle?.lately).toEqual(lately);
  });

  test('mergeReports adds up calls, and keeps every complaint', () => {
    const merged = merge(
      report({ calls_open: 2, withheld: { exp_1: 'expired' } }),
      report({ calls_open: 3, withheld: { exp_2: 'trigger' }, frozen: true, policy_error: 'bad' }),
    );
    expect(merged).toMatchObject({
      calls_open: 5,
      withheld: { exp_1: 'expired', exp_2: 'trigger' },
      frozen: true,
      policy_error: 'bad',
    });
  });

  test.each([
    ['open', 'closed', 'open'],
    ['closed', 'half-open', 'half-open'],
    ['closed', 'closed', 'closed'],
    ['absent', 'closed', 'absent'],
  ])('mergeReports makes one breaker of %s and %s: %s', (left, right, wanted) => {
    const at = (breaker: string, limit: number | null) =>
      report({ targets: { mini: { breaker, in_flight: 2, queue: 1, limit, limited: false } } });
    expect(merge(at(left, 10), at(right, 20))?.targets.mini).toEqual({
      breaker: wanted,
      in_flight: 4,
      queue: 2,
      limit: 30,
      limited: false,
    });
    expect(merge(at(left, 10), at(right, null))?.targets.mini?.limit).toBeNull();
  });

  test('mergeReports sums the metrics of all, and those of processes that have ended', () => {
    const counted = (value: number) => {
      const metrics = createMetrics();
      metrics.add('hive_attempts_total', ['mini', 'ok'], value);
      metrics.observe('hive_call_seconds', 0.2, ['default']);
      return metrics.snapshot();
    };
    const merged = mergeReports({
      reports: [report({ metrics: counted(1) }), report({ metrics: counted(2) })],
      children: {},
      metrics: [counted(4)],
    });
    expect(merged?.metrics.hive_attempts_total).toMatchObject([{ value: 7 }]);
    expect(merged?.metrics.hive_call_seconds).toMatchObject([{ count: 3 }]);
  });
});
