import {
  METRICS,
  type MetricDeclaration,
  type MetricsSnapshot,
  mergeMetrics,
  type Series,
} from '../core/metrics.ts';

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Prometheus' text exposition of several processes' metrics as one. Series of the same labels add
 * up: both processes run a bus, and what is asked is how much waits in all. A family that no
 * process has recorded is left out, because a zero that later jumps reads as a burst.
 */
export function metricsText(snapshots: readonly MetricsSnapshot[]): string {
  const lines: string[] = [];
  const merged = mergeMetrics(snapshots);
  for (const [name, declaration] of Object.entries<MetricDeclaration>(METRICS)) {
    const series = merged[name] ?? [];
    if (series.length === 0) continue;
    lines.push(`# HELP ${name} ${escapeHelp(declaration.help)}`);
    lines.push(`# TYPE ${name} ${declaration.kind}`);
    for (const one of series) lines.push(...linesOf(name, declaration, one));
  }
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}

function linesOf(name: string, declaration: MetricDeclaration, series: Series): readonly string[] {
  const labels = declaration.labels.map(
    (label, index) => `${label}="${escapeLabel(series.labels[index] ?? '')}"`,
  );
  if (declaration.kind !== 'histogram') return [lineOf(name, labels, series.value)];
  const bounds = declaration.buckets ?? [];
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += series.buckets[index] ?? 0;
    return lineOf(`${name}_bucket`, [...labels, `le="${numberText(bound)}"`], below);
  });
  return [
    ...buckets,
    lineOf(`${name}_bucket`, [...labels, 'le="+Inf"'], series.count),
    lineOf(`${name}_sum`, labels, series.value),
    lineOf(`${name}_count`, labels, series.count),
  ];
}

function lineOf(name: string, labels: readonly string[], value: number): string {
  const set = labels.length > 0 ? `{${labels.join(',')}}` : '';
  return `${name}${set} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
