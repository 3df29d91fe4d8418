import { type MetricsSnapshot, mergeMetrics } from '../core/metrics.ts';
import type { GatewayReport, TargetReport } from '../core/state.ts';

/** What the gateway's processes say of themselves, as one. */
export interface Reported {
  /** At least one. */
  readonly reports: readonly GatewayReport[];
  readonly children: GatewayReport['children'];
  /** The parent's own, and what processes that have ended had counted. */
  readonly metrics: readonly MetricsSnapshot[];
}

/** The least of what they agree on, the worst of what they suffer, the sum of what they do. */
export function mergeReports({ reports, children, metrics }: Reported): GatewayReport | null {
  const [slowest] = [...reports].sort((left, right) => left.epoch - right.epoch);
  if (!slowest) return null;
  const { version, epoch } = slowest;
  return {
    version,
    epoch,
    at_ms: Math.max(...reports.map(({ at_ms }) => at_ms)),
    policy_error: reports.find((one) => one.policy_error !== null)?.policy_error ?? null,
    frozen: reports.some(({ frozen }) => frozen),
    calls_open: reports.reduce((sum, { calls_open }) => sum + calls_open, 0),
    targets: mergeTargets(reports.map(({ targets }) => targets)),
    withheld: Object.assign({}, ...reports.map(({ withheld }) => withheld)),
    ...(children ? { children } : {}),
    metrics: mergeMetrics([...metrics, ...reports.map((one) => one.metrics)]),
  };
}

/** Worst first: each process has a breaker of its own. */
const BREAKERS = ['open', 'half-open', 'absent', 'closed'];

function mergeTargets(all: readonly GatewayReport['targets'][]): GatewayReport['targets'] {
  const merged: Record<string, TargetReport> = {};
  for (const [name, report] of all.flatMap((targets) => Object.entries(targets))) {
    const known = merged[name];
    merged[name] = known ? worseOf(known, report) : report;
  }
  return merged;
}

function worseOf(left: TargetReport, right: TargetReport): TargetReport {
  const rank = ({ breaker }: TargetReport): number => BREAKERS.indexOf(breaker);
  const worse = rank(left) <= rank(right) ? left : right;
  const bounded = typeof left.limit === 'number' && typeof right.limit === 'number';
  return {
    ...worse,
    in_flight: left.in_flight + right.in_flight,
    limited: (left.limited ?? false) || (right.limited ?? false),
    queue: (left.queue ?? 0) + (right.queue ?? 0),
    limit: bounded ? (left.limit ?? 0) + (right.limit ?? 0) : null,
  };
}
