import { Latest } from './latest.ts';

/**
 * The one declared registry of metrics. A metric that is not declared here cannot be recorded, and
 * a label's values are a closed set or names of the policy, so no client can grow the series.
 */

export interface MetricDeclaration {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly buckets?: readonly number[];
  /** What several processes' gauges come to; their sum where nothing is said. */
  readonly merge?: 'most' | 'least';
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const counter = (help: string, ...labels: string[]): MetricDeclaration => ({
  kind: 'counter',
  help,
  labels,
});
const gauge = (help: string, ...labels: string[]): MetricDeclaration => ({
  kind: 'gauge',
  help,
  labels,
});
/** A gauge of which the largest of several processes' is told. */
const most = (help: string, ...labels: string[]): MetricDeclaration => ({
  ...gauge(help, ...labels),
  merge: 'most',
});
const histogram = (help: string, buckets: number[], ...labels: string[]): MetricDeclaration => ({
  kind: 'histogram',
  help,
  labels,
  buckets,
});

export const METRICS = {
  hive_calls_total: counter('Calls by how they ended.', 'agent', 'outcome'),
  hive_call_errors_total: counter('Calls answered with an error, by its code.', 'code'),
  hive_rehearsals_total: counter('Calls rehearsed, to keep the path of calls warm.'),
  hive_event_loop_delay_seconds: histogram(
    'The longest delay of the event loop in each second, by kind of process.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    'process',
  ),
  hive_heap_used_bytes: gauge('JavaScript heap in use, by kind of process.', 'process'),
  hive_resident_memory_bytes: gauge('Resident memory, by kind of process.', 'process'),
  hive_target_in_flight: gauge('Calls in a target’s hands.', 'target'),
  hive_target_queue_waiting: gauge('Calls that wait for a place at a target.', 'target'),
  hive_target_error_rate: most('Share of a target’s attempts that failed lately.', 'target'),
  hive_target_headroom: {
    ...gauge('Share of a provider’s limits that is left; 1 where it does not say.', 'target'),
    merge: 'least',
  },
  hive_target_first_byte_seconds: most(
    'Moving mean of the time to the first byte of streams, by size of the request.',
    'target',
    'size',
  ),
  hive_target_cost_usd: most('Moving mean of what an answer costs.', 'target'),
  hive_cost_usd_total: counter('USD by the policy’s prices.', 'target'),
  hive_engine_slots: gauge('Contexts of the embedded engine, by their state.', 'model', 'state'),
  hive_engine_waiting: gauge('Requests that wait for a context of the engine.', 'model'),
  hive_attempts_total: counter('Tries at targets.', 'target', 'outcome'),
  hive_calls_open: gauge('Calls in progress.'),
  hive_call_seconds: histogram('Time from request to end of answer.', SECONDS, 'agent'),
  hive_first_token_seconds: histogram('Time to the first content.', SECONDS, 'target'),
  hive_overhead_seconds: histogram(
    'The gateway’s own time before the first byte.',
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05],
  ),
  hive_tokens_total: counter('Tokens.', 'agent', 'direction'),
  hive_retries_refused_total: counter('Further attempts that the retry budget did not allow.'),
  hive_hedges_total: counter('Second attempts because a first byte was late.', 'target'),
  hive_escalations_total: counter(
    'Answers that a plugin refused, by whether another target was asked.',
    'plugin',
    'outcome',
  ),
  hive_held_total: counter('Streams held back whole, by what came of it.', 'outcome'),
  hive_rate_limited_total: counter('Refusals by a provider’s rate limit.', 'target'),
  hive_provider_refused_total: counter('Refusals of our credentials.', 'target'),
  hive_unknown_model_total: counter('Answers that the provider knows no such model.', 'target'),
  hive_connections_refused_total: counter(
    'Client connections closed at once, by whose number was reached.',
    'limit',
  ),
  hive_shed_total: counter('Calls that found no place in time.', 'cause'),
  hive_queue_waiting: gauge('Calls that wait for a place.'),
  hive_queue_seconds: histogram('Time that calls waited for a place.', SECONDS),
  hive_held_bytes: gauge('Request bodies and held answers in memory.'),
  hive_in_flight_limit: gauge('Calls that may wait for their first byte at once, in all.'),
  hive_breaker_open: gauge('1 while the target’s breaker is open.', 'target'),
  hive_plugin_bypassed_total: counter('Hooks bypassed.', 'plugin', 'cause'),
  hive_plugin_calls_total: counter('Calls that entered a plugin.', 'plugin'),
  hive_plugin_seconds_total: counter('Time in a plugin’s synchronous hooks.', 'plugin'),
  hive_plugin_open: gauge('Agents for which a plugin’s fuse is open.', 'plugin'),
  hive_routes_total: counter('Targets that the router chose.', 'agent', 'target'),
  hive_adapters_applied_total: counter('Calls whose answer proves an adapter.', 'adapter'),
  hive_adapters_skipped_total: counter('Calls whose adapter was not asked for.', 'reason'),
  hive_prompts_applied_total: counter('Calls that got a prompt’s version.', 'prompt'),
  hive_prompts_skipped_total: counter('Calls whose prompt was not applied.', 'reason'),
  hive_feedback_total: counter('Feedback accepted.', 'signal', 'channel'),
  hive_feedback_refused_total: counter('Feedback refused.', 'cause'),
  hive_events_dropped_total: counter('Telemetry dropped because the journal was behind.'),
  hive_events_waiting: gauge('Events waiting for the journal.'),
  hive_journal_sync_seconds: histogram(
    'Time of one group commit.',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
  ),
  hive_policy_swaps_total: counter('Policy snapshots swapped in.'),
  hive_policy_rejected_total: counter('Policy files that did not load.'),
  hive_canary_withheld_total: counter('Canary arms withheld by the gateway.', 'cause'),
  hive_child_restarts_total: counter('Children restarted.', 'child'),
  hive_events_applied_total: counter('Journal records applied to the store.', 'type'),
  hive_events_dead_total: counter('Journal lines set aside as unreadable.'),
  hive_feedback_matched_total: counter('Feedback by what it was matched to.', 'matched'),
  hive_journal_lag_bytes: gauge('Journal bytes not yet applied.'),
  hive_cycles_total: counter('Cycles of the oracle.', 'outcome'),
  hive_cycle_seconds: histogram('Time of a cycle.', SECONDS),
  hive_findings_total: counter('Findings.', 'detector', 'severity'),
  hive_mutations_total: counter('Mutations by their new state.', 'type', 'state'),
  hive_verdicts_total: counter('Verdicts of gates.', 'gate', 'verdict'),
  hive_own_calls_total: counter('Calls of the oracle’s own.', 'agent', 'outcome'),
  hive_samples_total: counter('Calls kept as samples, or dropped because they were many.', 'fate'),
  hive_samples_kept: gauge('Samples in the store.', 'label'),
  hive_proposals_total: counter('Proposed prompts by their new state.', 'state'),
  hive_proposal_refusals_total: counter('Proposals refused, by why.', 'refusal'),
  hive_proposal_calls_total: counter('Calls to models by the oracle.', 'purpose', 'outcome'),
  hive_proposal_spent: gauge('Spent of the day’s budget.', 'unit'),
  hive_proposal_breaker_open: gauge('1 while no model is asked for proposals.'),
  hive_follow_ups_total: counter('Turns by what a model says of them, or why it does not.', 'said'),
  hive_canaries: gauge('Canaries by state.', 'state'),
  hive_experiments: gauge('A/B experiments by state.', 'state'),
  hive_experiment_units: gauge('Units in an arm of an experiment.', 'experiment', 'arm'),
} as const satisfies Record<string, MetricDeclaration>;

export type MetricName = keyof typeof METRICS;

/** Series of one metric, at most; more label values are counted under `other`. */
export const SERIES_MAX = 2000;

export interface Series {
  readonly labels: readonly string[];
  /** A counter's or gauge's value; a histogram's sum. */
  value: number;
  /** A histogram's observations, and how many fell into each bucket (not cumulative). */
  count: number;
  readonly buckets: number[];
}

export type MetricsSnapshot = { readonly [name: string]: readonly Series[] };

/** Several processes' metrics as one: series of the same labels add up. */
export function mergeMetrics(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const families = new Map<string, Map<string, Series>>();
  for (const [name, series] of snapshots.flatMap((snapshot) => Object.entries(snapshot))) {
    const family = families.get(name) ?? new Map<string, Series>();
    families.set(name, family);
    for (const one of series) {
      const key = JSON.stringify(one.labels);
      const known = family.get(key);
      family.set(key, known ? mergedOf(name, known, one) : one);
    }
  }
  return Object.fromEntries([...families].map(([name, family]) => [name, [...family.values()]]));
}

/** What stays true of a process that has ended: its counts, not its state. */
export function totalsOf(snapshot: MetricsSnapshot): MetricsSnapshot {
  const isTotal = (name: string): boolean => METRICS[name as MetricName]?.kind !== 'gauge';
  return Object.fromEntries(Object.entries(snapshot).filter(([name]) => isTotal(name)));
}

function mergedOf(name: string, left: Series, right: Series): Series {
  const { merge }: MetricDeclaration = METRICS[name as MetricName] ?? UNDECLARED;
  if (merge === undefined) return sumOf(left, right);
  return (merge === 'most') === left.value > right.value ? left : right;
}

/** Of a process of another version. */
const UNDECLARED = gauge('');

function sumOf(left: Series, right: Series): Series {
  const size = Math.max(left.buckets.length, right.buckets.length);
  return {
    labels: left.labels,
    value: left.value + right.value,
    count: left.count + right.count,
    buckets: Array.from(
      { length: size },
      (_, index) => (left.buckets[index] ?? 0) + (right.buckets[index] ?? 0),
    ),
  };
}

export interface Metrics {
  /** Counters: adds, 1 by default. `labels` stand in the order of the declaration. */
  add(name: MetricName, labels?: readonly string[], value?: number): void;
  set(name: MetricName, value: number, labels?: readonly string[]): void;
  observe(name: MetricName, value: number, labels?: readonly string[]): void;
  snapshot(): MetricsSnapshot;
}

/** A series' labels in one text; `join` is slow, and this runs ten times a call. */
function keyOf(labels: readonly string[]): string {
  if (labels.length === 0) return '';
  if (labels.length === 1) return labels[0] as string;
  return labels.length === 2 ? `${labels[0]}\0${labels[1]}` : labels.join('\0');
}

/** Series of a metric that are tried first: to compare labels costs less than to make a key. */
const RECENT_MAX = 4;

interface Family {
  readonly by: Map<string, Series>;
  readonly recent: Latest<Series>;
}

function recentOf({ recent }: Family, labels: readonly string[]): Series | null {
  for (const series of recent.all) {
    const known = series.labels;
    let same = known.length === labels.length;
    for (let at = 0; same && at < labels.length; at += 1) same = known[at] === labels[at];
    if (same) return series;
  }
  return null;
}

export function createMetrics(): Metrics {
  const all = new Map<MetricName, Family>();
  for (const name of Object.keys(METRICS)) {
    all.set(name as MetricName, { by: new Map(), recent: new Latest(RECENT_MAX) });
  }

  const seriesOf = (name: MetricName, labels: readonly string[]): Series => {
    const family = all.get(name) as Family;
    const recent = recentOf(family, labels);
    if (recent !== null) return recent;
    const series = findSeries(name, family.by, labels);
    family.recent.keep(series);
    return series;
  };
  const findSeries = (
    name: MetricName,
    family: Map<string, Series>,
    labels: readonly string[],
  ): Series => {
    const key = keyOf(labels);
    const known = family.get(key);
    if (known) return known;
    if (family.size >= SERIES_MAX && labels.some((label) => label !== 'other')) {
      const other = labels.map(() => 'other');
      return findSeries(name, family, other);
    }
    const declaration: MetricDeclaration = METRICS[name];
    const size = declaration.buckets ? declaration.buckets.length + 1 : 0;
    const made: Series = {
      labels,
      value: 0,
      count: 0,
      buckets: Array.from({ length: size }, () => 0),
    };
    family.set(key, made);
    return made;
  };

  return {
    add(name, labels = [], value = 1) {
      seriesOf(name, labels).value += value;
    },
    set(name, value, labels = []) {
      seriesOf(name, labels).value = value;
    },
    observe(name, value, labels = []) {
      const series = seriesOf(name, labels);
      const bounds = (METRICS[name] as MetricDeclaration).buckets ?? [];
      let index = 0;
      while (index < bounds.length && value > (bounds[index] as number)) index += 1;
      series.value += value;
      series.count += 1;
      series.buckets[index] = (series.buckets[index] ?? 0) + 1;
    },
    snapshot() {
      const families = [...all].filter(([, { by }]) => by.size > 0);
      return Object.fromEntries(
        families.map(([name, { by }]) => [
          name,
          [...by.values()].map((series) => ({ ...series, buckets: [...series.buckets] })),
        ]),
      );
    },
  };
}
