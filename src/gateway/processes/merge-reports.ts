import { type MetricsSnapshot, mergeMetrics } from '../../core/metrics.ts';
import type { GatewayReport, PluginReport, TargetLately, TargetReport } from '../../core/state.ts';

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
    plugins: mergePlugins(reports.map(({ plugins }) => plugins ?? {})),
    withheld: Object.assign({}, ...reports.map(({ withheld }) => withheld)),
    ...(children ? { children } : {}),
    metrics: mergeMetrics([...metrics, ...reports.map((one) => one.metrics)]),
  };
}

function mergePlugins(all: readonly NonNullable<GatewayReport['plugins']>[]) {
  const merged: Record<string, PluginReport> = {};
  for (const [id, report] of all.flatMap((plugins) => Object.entries(plugins))) {
    const known = merged[id] ?? { calls: 0, ms: 0, bypassed: 0, open: [] };
    merged[id] = {
      calls: known.calls + report.calls,
      ms: known.ms + report.ms,
      bypassed: known.bypassed + report.bypassed,
      open: [...new Set([...known.open, ...report.open])].sort(),
    };
  }
  return merged;
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
    ...latelyOf(left.lately, right.lately),
  };
}

/** Rates and limits as the process has them that is worse off; times as the first one has them. */
function latelyOf(
  left: TargetLately | undefined,
  right: TargetLately | undefined,
): Pick<TargetReport, 'lately'> {
  if (!left || !right) return left || right ? { lately: (left ?? right) as TargetLately } : {};
  return {
    lately: {
      ...left,
      error_rate: Math.max(left.error_rate, right.error_rate),
      headroom: leastOf(left.headroom, right.headroom),
      requests_left: leastOf(left.requests_left, right.requests_left),
      tokens_left: leastOf(left.tokens_left, right.tokens_left),
      cost_usd: left.cost_usd ?? right.cost_usd,
      tokens_out: left.tokens_out ?? right.tokens_out,
    },
  };
}

function leastOf(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.min(left, right);
}
