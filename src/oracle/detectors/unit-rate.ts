import { z } from 'zod';
import type {
  DetectorDefinition,
  DetectorResult,
  FindingDraft,
  FindingMetric,
  Insufficient,
  Observation,
  Segment,
  SegmentObservation,
  Severity,
  Yardstick,
} from '../../core/oracle.ts';
import type { Thresholds } from '../../core/policy.ts';
import { wilsonInterval } from '../../core/statistics.ts';

const options = z.strictObject({
  /** Units and units with the event below which a rate says nothing. */
  units_min: z.int().min(1).default(20),
  events_min: z.int().min(1).default(5),
});
type Options = z.infer<typeof options>;

type Judged = 'dissatisfied' | 'error';
type Draft = FindingDraft;
type Missing = Omit<Insufficient, 'detector'>;

/** A target fails so often that nobody should wait for satisfaction: the seed's hard trigger. */
const CRITICAL_ERROR_ALLOWANCES = 3;

/**
 * Says of each agent and target whether too many of its units had an error or were dissatisfied. A
 * unit counts once, because one user's ten failed calls are one user's trouble. The rate is held
 * against the first yardstick with enough data: the agent's other targets at the same time, the
 * segment's own past, the policy's threshold. A past that is itself worse than the threshold is no
 * yardstick, or a fault that lasts a day would become normal.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'unit-rate',
  summary: 'Share of units with an error or dissatisfied, per agent and target.',
  options,
  create: (settings) => (observation) => {
    const findings: Draft[] = [];
    const insufficient: Missing[] = [];
    for (const metric of ['dissatisfied', 'error'] as const) {
      for (const stats of judgedSegments(observation)) {
        const result = judgeSegment(stats, metric, observation, settings);
        if (result === null) continue;
        if ('required' in result) insufficient.push(result);
        else findings.push(result);
      }
    }
    return withoutEchoes({ findings, insufficient });
  },
};

/** A cell of all tenants and categories. */
function isWhole({ tenant = null, category = null }: Segment): boolean {
  return tenant === null && category === null;
}

/** An agent with one target is that target: it is judged once, as the agent. */
function judgedSegments(observation: Observation): readonly SegmentObservation[] {
  const targets = (agent: string): number =>
    observation.segments.filter(
      ({ segment, calls }) =>
        segment.agent === agent && segment.target !== null && isWhole(segment) && calls > 0,
    ).length;
  return observation.segments
    .filter(({ segment }) => isWhole(segment))
    .filter(({ segment }) => segment.target === null || targets(segment.agent) > 1);
}

/** What a target's finding already says is not said again of its agent. */
function withoutEchoes({ findings, insufficient }: DetectorResult): DetectorResult {
  const told = (agent: string, metric: FindingMetric): boolean =>
    findings.some(
      (finding) =>
        finding.metric === metric &&
        finding.segment.agent === agent &&
        finding.segment.target !== null,
    );
  return {
    findings: findings.filter(
      ({ segment, metric }) => segment.target !== null || !told(segment.agent, metric),
    ),
    insufficient,
  };
}

function countsOf(stats: SegmentObservation, metric: Judged): { events: number; units: number } {
  return stats.rates[metric] ?? { events: 0, units: 0 };
}

function judgeSegment(
  stats: SegmentObservation,
  metric: Judged,
  observation: Observation,
  settings: Options,
): Draft | Missing | null {
  const { events, units } = countsOf(stats, metric);
  if (units < settings.units_min) return missing(stats, metric, settings.units_min, observation);
  const yardstick = yardstickOf(stats, metric, observation, settings);
  const rate = events / units;
  if (events < settings.events_min) {
    if (rate <= yardstick.value) return null;
    return missing(stats, metric, Math.ceil(settings.events_min / rate), observation);
  }
  const interval = wilsonInterval(events, units);
  if (interval[0] <= yardstick.value) return null;
  const draft: Omit<Draft, 'text'> = {
    segment: stats.segment,
    metric,
    since_ms: observation.at_ms,
    measure: 'share',
    level: 'act',
    direction: 'worse',
    estimate: rate,
    p: null,
    e: null,
    confirmed: null,
    disproof: 'A rate below the yardstick among as many units of the next window.',
    effect: rate - yardstick.value,
    interval,
    yardstick,
    n: events,
    units,
    severity: severityOf(metric, rate, observation.thresholds),
    evidence: stats.evidence,
  };
  return { ...draft, text: sentenceFor(draft) };
}

function yardstickOf(
  stats: SegmentObservation,
  metric: Judged,
  observation: Observation,
  settings: Options,
): Yardstick {
  const { agent, target } = stats.segment;
  const threshold = thresholdOf(metric, observation.thresholds);
  const peers = observation.segments
    .filter(({ segment }) => segment.agent === agent && isWhole(segment))
    .filter(({ segment }) => segment.target !== null && segment.target !== target)
    .map((peer) => countsOf(peer, metric));
  const peerUnits = peers.reduce((sum, { units }) => sum + units, 0);
  if (target !== null && peerUnits >= settings.units_min) {
    const events = peers.reduce((sum, peer) => sum + peer.events, 0);
    return { kind: 'peers', value: events / peerUnits };
  }
  const past = observation.past.find(
    ({ segment }) => segment.agent === agent && segment.target === target && isWhole(segment),
  );
  const before = past ? countsOf(past, metric) : { events: 0, units: 0 };
  const enough = before.units >= settings.units_min;
  if (enough && before.events / before.units <= threshold) {
    return { kind: 'past', value: before.events / before.units };
  }
  return { kind: 'threshold', value: threshold };
}

function thresholdOf(metric: Judged, thresholds: Thresholds): number {
  if (metric === 'dissatisfied') return thresholds.satisfaction.dissatisfied.warning;
  return 1 - thresholds.performance.success_rate.target;
}

function severityOf(metric: Judged, rate: number, thresholds: Thresholds): Severity {
  const warning = thresholdOf(metric, thresholds);
  const critical =
    metric === 'dissatisfied'
      ? thresholds.satisfaction.dissatisfied.critical
      : warning * CRITICAL_ERROR_ALLOWANCES;
  if (rate >= critical) return 'critical';
  return rate >= warning ? 'warning' : 'info';
}

function missing(
  stats: SegmentObservation,
  metric: Judged,
  required: number,
  observation: Observation,
): Missing {
  const { units } = countsOf(stats, metric);
  const span_ms = observation.window.to_ms - observation.window.from_ms;
  const left = Math.max(0, required - units);
  const eta_ms = units > 0 ? Math.round(observation.at_ms + (left / units) * span_ms) : null;
  return { segment: stats.segment, metric, units, required, of: 'units', eta_ms };
}

const YARDSTICK_WORDS: Partial<Record<Yardstick['kind'], string>> = {
  peers: "the rate of the agent's other targets",
  past: 'its own rate of the seven days before',
  threshold: "the policy's threshold",
};

function sentenceFor(finding: Omit<Draft, 'text'>): string {
  const { segment, metric, n, units, interval, yardstick } = finding;
  const where =
    segment.target === null
      ? `agent ${segment.agent}`
      : `target ${segment.target} of agent ${segment.agent}`;
  const what =
    metric === 'error'
      ? `${n} of ${units} units of ${where} had an error`
      : `${n} of ${units} units that rated ${where} were dissatisfied`;
  const range = `95 % interval ${percent(interval[0])} to ${percent(interval[1])}`;
  const against = `above ${YARDSTICK_WORDS[yardstick.kind]}, ${percent(yardstick.value)}`;
  return `${what}: ${percent(n / units)} (${range}), ${against}.`;
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
