import { slowAbove } from '../core/canary.ts';
import type { CallEvent, FeedbackEvent } from '../core/event.ts';
import type { Observation, Segment, SegmentObservation } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import { signalMetricsOf } from '../core/signals/metrics-of.ts';
import { sketchQuantile } from '../core/sketch.ts';
import { loadsOf } from '../oracle/loads.ts';
import {
  createUnits,
  type Fact,
  factOf,
  factOfAgent,
  LATENCY,
  show,
  type Verdict,
} from './facts.ts';
import { createHearing } from './hearing.ts';
import { createHolding, HOUR_MS, hourAfter, type Span } from './holding.ts';
import { createSeries } from './series.ts';

/**
 * Folds calls and feedback into the oracle's `Observation`, in memory, as the store does it with
 * rollups: one window and the seven days before it, that move on with each look.
 */
export interface Collector {
  /** Events in order of time. Canary calls are left out: the monitor alone judges those. */
  call(event: CallEvent): void;
  feedback(event: FeedbackEvent): void;
  observe(look: Look): Observation;
  /** Latencies of the agent's newest successful calls of control within a day, at most 2,000. */
  latencies(agent: string, at_ms: number): readonly number[];
}

export interface Look {
  readonly at_ms: number;
  readonly window_hours: number;
  readonly version: string;
  readonly policy: Policy;
  /** When an agent's main plan last changed: its window begins no earlier. */
  readonly since_ms: Readonly<Record<string, number>>;
  readonly frozen: readonly string[];
}

const DAY_MS = 24 * HOUR_MS;
const LATENCIES_MAX = 2000;
const EVIDENCE_MAX = 100;

/** Told of every call and verdict once it is matched, of canaries too. */
export interface Watcher {
  call(fact: Fact): void;
  verdict(fact: Fact, verdict: Verdict, replaced: Verdict | null): void;
}

export function createCollector(watcher: Watcher | null = null): Collector {
  const hearing = createHearing();
  const series = createSeries();
  const holding = createHolding(series);
  const bars: Bars = new Map();
  const who = createUnits();

  return {
    call(event) {
      if (event.origin !== 'client' || event.outcome === 'rejected') return;
      const fact = factOf(event, who(event));
      hearing.know(fact, event.session);
      holdToBar(fact, event, bars.get(fact.agent));
      if (event.arm === null || event.arm === 'control') holding.keep(fact);
      const { own, parent } = signalMetricsOf(event);
      for (const metric of own) show(fact, metric);
      watcher?.call(fact);
      const earlier = hearing.find(event.parent ?? '');
      if (earlier && parent.length > 0) {
        holding.change(earlier, () => {
          for (const metric of parent) show(earlier, metric);
        });
      }
    },
    feedback(event) {
      const heard = hearing.hear(event);
      if (heard?.of === 'agent') holding.keep(factOfAgent(event, heard.agent, heard.verdict));
      if (heard?.of !== 'call') return;
      const { fact, verdict } = heard;
      holding.change(fact, () => {
        const replaced = replaceVerdict(fact, verdict);
        watcher?.verdict(fact, verdict, replaced);
      });
    },
    latencies(agent, at_ms) {
      const ok = holding.facts().filter((fact) => {
        const failed = fact.metrics.includes('error') || fact.metrics.includes('abort');
        const recent = fact.at_ms <= at_ms && fact.at_ms > at_ms - DAY_MS;
        return fact.is_call && fact.agent === agent && recent && !failed;
      });
      return ok.slice(-LATENCIES_MAX).flatMap((fact) => fact.values[LATENCY] ?? []);
    },
    observe(look) {
      const { at_ms: to_ms } = look;
      const from_ms = to_ms - look.window_hours * HOUR_MS;
      holding.settle({ from_ms, to_ms, since_ms: look.since_ms });
      const shown = holding.facts('window');
      const evidence = shown.filter(isEvidence).reverse();
      const segments = segmentsOf(holding.window, look.policy, evidence);
      fixBars(bars, segments, look);
      return {
        at_ms: look.at_ms,
        window: { from_ms, to_ms },
        version: look.version,
        segments,
        past: segmentsOf(holding.past, look.policy, []),
        halves: [
          segmentsOf(holding.window, look.policy, [], 0),
          segmentsOf(holding.window, look.policy, [], 1),
        ],
        series: series.upTo(to_ms),
        loads: loadsOf(look.policy, segments, adaptersOf(shown)),
        frozen: look.frozen,
        thresholds: look.policy.oracle.thresholds,
      };
    },
  };
}

/** Above which latency an agent's calls are slow, and since when. */
interface Bar {
  readonly slow_ms: number;
  readonly since_ms: number;
}
type Bars = Map<string, Bar>;

/** As collect fixes them: once there is enough data, and again where the agent has changed. */
function fixBars(
  bars: Bars,
  segments: readonly SegmentObservation[],
  { at_ms, since_ms }: Look,
): void {
  for (const { segment, quantities } of segments) {
    const { agent, target, tenant = null, category = null } = segment;
    if (target !== null || tenant !== null || category !== null) continue;
    const bar = bars.get(agent);
    if (bar && bar.since_ms >= (since_ms[agent] ?? 0)) continue;
    const latency = quantities.latency_ms;
    if (latency === undefined) continue;
    const slow_ms = slowAbove(sketchQuantile(latency, 0.95), latency.count);
    if (slow_ms !== null) bars.set(agent, { slow_ms, since_ms: at_ms });
  }
}

function segmentsOf(
  { tallies }: Span,
  { agents }: Policy,
  evidence: readonly Fact[],
  half?: 0 | 1,
): readonly SegmentObservation[] {
  const cells = [...tallies].filter(
    ([, { segment, tally }]) => !tally.empty && Object.hasOwn(agents, segment.agent),
  );
  return cells
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, { segment, tally }]) => tally.observe(segment, shownIn(segment, evidence), half));
}

function shownIn(segment: Segment, evidence: readonly Fact[]): readonly string[] {
  const ids: string[] = [];
  for (const fact of evidence) {
    if (ids.length === EVIDENCE_MAX) break;
    if (isIn(fact, segment)) ids.push(fact.id);
  }
  return ids;
}

function isIn(fact: Fact, { agent, target, tenant, category }: Segment): boolean {
  return (
    fact.agent === agent &&
    (target === null || fact.target === target) &&
    (tenant == null || fact.tenant === tenant) &&
    (category == null || fact.category === category)
  );
}

/** The newest of a rater's verdicts of one kind counts; returns the one that it replaces. */
function replaceVerdict(fact: Fact, verdict: Verdict): Verdict | null {
  const { rater, signal } = verdict;
  const same = fact.verdicts.findIndex((one) => one.rater === rater && one.signal === signal);
  const [replaced] = same < 0 ? [] : fact.verdicts.splice(same, 1);
  fact.verdicts.push(verdict);
  return replaced ?? null;
}

function holdToBar(fact: Fact, { outcome, latency_ms }: CallEvent, bar: Bar | undefined): void {
  if (!bar || fact.at_ms < hourAfter(bar.since_ms)) return;
  fact.barred = true;
  if (outcome === 'ok' && latency_ms > bar.slow_ms) show(fact, 'slow');
}

function adaptersOf(facts: readonly Fact[]): ReadonlyMap<string, Record<string, number>> {
  const byAgent = new Map<string, Record<string, number>>();
  for (const { agent, adapter, is_call } of facts) {
    if (!is_call) continue;
    let counts = byAgent.get(agent);
    if (!counts) {
      counts = {};
      byAgent.set(agent, counts);
    }
    const name = adapter ?? 'none';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return byAgent;
}

function isEvidence(fact: Fact): boolean {
  if (!fact.is_call) return false;
  return fact.metrics.includes('error') || fact.verdicts.some(({ dissatisfied }) => dissatisfied);
}
