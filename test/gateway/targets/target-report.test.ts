import { expect, test } from 'vitest';
import { createMetrics, mergeMetrics } from '../../../src/core/metrics.ts';
import {
  createFigures,
  observeAnswer,
  observeAttempt,
  observeFirstByte,
} from '../../../src/core/routing/live-figures.ts';
import { Headroom } from '../../../src/gateway/targets/headroom.ts';
import { figuresReport, recordTargets } from '../../../src/gateway/targets/target-report.ts';

function reportOf(cost: number, left: string) {
  const figures = createFigures();
  observeFirstByte(figures, true, 1, 250);
  observeAttempt(figures, true, 0);
  observeAnswer(figures, cost, 12);
  const headroom = new Headroom();
  const limit = { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': left };
  headroom.read(limit, 0);
  const { lately } = figuresReport({ figures, headroom, limited_ms: 0 }, 0);
  return { breaker: 'closed', in_flight: 2, lately };
}

test('target report says what is known and null of the rest', () => {
  const { lately } = reportOf(0.01, '4');
  expect(lately.first_byte_ms.stream).toEqual({ small: null, medium: 250, large: null, all: 250 });
  expect(lately).toMatchObject({ error_rate: 0, headroom: 0.4, cost_usd: 0.01, tokens_out: 12 });
  const nothing = { figures: createFigures(), headroom: new Headroom(), limited_ms: 0 };
  expect(figuresReport(nothing, 0).lately).toMatchObject({ headroom: null, cost_usd: null });
  expect(figuresReport({ ...nothing, limited_ms: 5 }, 0).lately.headroom).toBe(0);
});

test('target report becomes gauges: of several processes the worst is told, not the sum', () => {
  const [one, other] = [createMetrics(), createMetrics()];
  recordTargets(one, { main: reportOf(0.01, '4') });
  recordTargets(other, { main: reportOf(0.02, '9') });
  const merged = mergeMetrics([one.snapshot(), other.snapshot()]);
  expect(merged.hive_target_cost_usd?.[0]?.value).toBe(0.02);
  expect(merged.hive_target_headroom?.[0]?.value).toBe(0.4);
  expect(merged.hive_target_in_flight?.[0]?.value).toBe(4);
  const [medium, ...rest] = merged.hive_target_first_byte_seconds ?? [];
  expect(medium).toMatchObject({ labels: ['main', 'medium'], value: 0.25 });
  expect(rest).toEqual([]);
});

test('target report does not keep an old refusal: who says nothing does not limit us', () => {
  const metrics = createMetrics();
  const report = reportOf(0.01, '4');
  recordTargets(metrics, { main: report });
  recordTargets(metrics, { main: { ...report, lately: { ...report.lately, headroom: null } } });
  expect(metrics.snapshot().hive_target_headroom?.[0]?.value).toBe(1);
});
