import type { CallEvent, FeedbackEvent } from '../core/event.ts';
import type { Observation, Segment, SegmentObservation } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import { signalMetricsOf } from '../core/signals/metrics-of.ts';
import { sketchQuantile } from '../core/sketch.ts';
import { loadsOf } from '../oracle/loads.ts';
import { type Fact, factOf, factOfAgent, LATENCY, type Verdict } from './facts.ts';
import { createHearing } from './hearing.ts';
import { createSeries } from './series.ts';
import { createTally, type Tally } from './tally.ts';

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

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PAST_MS = 7 * DAY_MS;
const LATENCIES_MAX = 2000;
const EVIDENCE_MAX = 100;

type Place = 'coming' | 'window' | 'left out' | 'past' | 'gone';

interface Held {
  readonly fact: Fact;
  place: Place;
}

/** Tallies by segment, of one span. */
interface Span {
  /** A unit counts once a day, not once in all: so the store keeps a past that long. */
  readonly by_day: boolean;
  readonly tallies: Map<string, { readonly segment: Segment; readonly tally: Tally }>;
}

/** Told of every call and verdict once it is matched, of canaries too. */
export interface Watcher {
  call(fact: Fact): void;
  verdict(fact: Fact, verdict: Verdict, replaced: Verdict | null): void;
}

export function createCollector(watcher: Watcher | null = null): Collector {
  const hearing = createHearing();
  const series = createSeries();
  const window: Span = { tallies: new Map(), by_day: false };
  const past: Span = { tallies: new Map(), by_day: true };
  let held: Held[] = [];
  const byFact = new Map<Fact, Held>();
  const bars: Bars = new Map();

  const spanOf = (place: Place): Span | null =>
    place === 'window' ? window : place === 'past' ? past : null;
  const move = (one: Held, to: Place): void => {
    const [from, into] = [spanOf(one.place), spanOf(to)];
    if (from) addTo(from, one.fact, -1);
    if (into) addTo(into, one.fact, 1);
    one.place = to;
  };
  const keep = (fact: Fact): void => {
    const one: Held = { fact, place: 'coming' };
    held.push(one);
    byFact.set(fact, one);
    series.add(fact);
  };
  /** What is learned late changes the call's own sums, wherever they are by now. */
  const change = (fact: Fact, alter: () => void): void => {
    const one = byFact.get(fact);
    const span = one ? spanOf(one.place) : null;
    if (span) addTo(span, fact, -1);
    alter();
    if (span) addTo(span, fact, 1);
    series.changed(fact);
  };

  return {
    call(event) {
      if (event.origin !== 'client' || event.outcome === 'rejected') return;
      const fact = factOf(event);
      hearing.know(fact, event.session);
      const bar = bars.get(fact.agent);
      if (bar && fact.at_ms >= hourAfter(bar.since_ms)) {
        fact.barred = true;
        if (event.outcome === 'ok' && event.latency_ms > bar.slow_ms) fact.metrics.add('slow');
      }
      const of_control = event.arm === null || event.arm === 'control';
      if (of_control) keep(fact);
      const { own, parent } = signalMetricsOf(event);
      for (const metric of own) fact.metrics.add(metric);
      watcher?.call(fact);
      const earlier = event.parent === null ? null : hearing.find(event.parent);
      if (earlier && parent.length > 0) {
        change(earlier, () => {
          for (const metric of parent) earlier.metrics.add(metric);
        });
      }
    },
    feedback(event) {
      const heard = hearing.hear(event);
      if (!heard) return;
      if (heard.of === 'agent') {
        keep(factOfAgent(event, heard.agent, heard.verdict));
        return;
      }
      const { fact, verdict } = heard;
      change(fact, () => {
        const { rater, signal } = verdict;
        const same = fact.verdicts.findIndex((one) => one.rater === rater && one.signal === signal);
        const [replaced] = same < 0 ? [] : fact.verdicts.splice(same, 1);
        fact.verdicts.push(verdict);
        watcher?.verdict(fact, verdict, replaced ?? null);
      });
    },
    latencies(agent, at_ms) {
      const ok = held.filter(({ fact }) => {
        const failed = fact.metrics.has('error') || fact.metrics.has('abort');
        const recent = fact.at_ms <= at_ms && fact.at_ms > at_ms - DAY_MS;
        return fact.is_call && fact.agent === agent && recent && !failed;
      });
      return ok.slice(-LATENCIES_MAX).flatMap(({ fact }) => fact.values[LATENCY] ?? []);
    },
    observe(look) {
      const to_ms = look.at_ms;
      const from_ms = to_ms - look.window_hours * HOUR_MS;
      for (const one of held) {
        const place = placeOf(one.fact, { from_ms, to_ms, since_ms: look.since_ms });
        if (place !== one.place) move(one, place);
        if (place === 'gone') byFact.delete(one.fact);
      }
      held = held.filter(({ place }) => place !== 'gone');
      const shown = held.filter(({ place }) => place === 'window').map(({ fact }) => fact);
      const evidence = shown.filter(isEvidence).reverse();
      const segments = segmentsOf(window, look.policy, evidence);
      fixBars(bars, segments, look);
      return {
        at_ms: look.at_ms,
        window: { from_ms, to_ms },
        version: look.version,
        segments,
        past: segmentsOf(past, look.policy, []),
        halves: [segmentsOf(window, look.policy, [], 0), segmentsOf(window, look.policy, [], 1)],
        series: series.upTo(to_ms),
        loads: loadsOf(look.policy, segments, adaptersOf(shown)),
        frozen: look.frozen,
        thresholds: look.policy.oracle.thresholds,
      };
    },
  };
}

function placeOf(
  { at_ms, agent }: Fact,
  look: { readonly from_ms: number; readonly to_ms: number; readonly since_ms: Look['since_ms'] },
): Place {
  if (at_ms >= look.to_ms) return 'coming';
  // Units are counted by the hour: one that began before the change is left out whole.
  const since_ms = hourAfter(look.since_ms[agent] ?? 0);
  if (at_ms >= look.from_ms) return at_ms < since_ms ? 'left out' : 'window';
  // The past is whole days; what lies between them and the window is in neither.
  const past_to_ms = Math.floor(look.from_ms / DAY_MS) * DAY_MS;
  if (at_ms >= past_to_ms) return 'left out';
  return at_ms >= past_to_ms - PAST_MS ? 'past' : 'gone';
}

function hourAfter(at_ms: number): number {
  return Math.ceil(at_ms / HOUR_MS) * HOUR_MS;
}

/** Above which latency an agent's calls are slow, and since when. */
type Bars = Map<string, { readonly slow_ms: number; readonly since_ms: number }>;

const SLOW_CALLS_MIN = 72;

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
    if (latency === undefined || latency.count < SLOW_CALLS_MIN) continue;
    const p95 = sketchQuantile(latency, 0.95);
    bars.set(agent, { slow_ms: Math.max(1.25 * p95, p95 + 50), since_ms: at_ms });
  }
}

/** The cells that a fact belongs to. What is said without a call is said of the agent alone. */
function cellsOf({ agent, target, tenant, category, is_call }: Fact): readonly Segment[] {
  const whole: Segment[] = [
    { agent, target: null },
    { agent, target: null, tenant },
  ];
  if (!is_call || target === null) return whole;
  whole.push({ agent, target });
  if (category === null) return whole;
  return [...whole, { agent, target: null, category }, { agent, target, category }];
}

function keyOf({ agent, target, tenant, category }: Segment): string {
  return `${agent}\0${target ?? ''}\0${tenant ?? ''}\0${category ?? ''}`;
}

function addTo({ tallies, by_day }: Span, fact: Fact, sign: 1 | -1): void {
  for (const segment of cellsOf(fact)) {
    const key = keyOf(segment);
    let cell = tallies.get(key);
    if (!cell) {
      cell = { segment, tally: createTally(by_day) };
      tallies.set(key, cell);
    }
    cell.tally.add(fact, sign);
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
    .map(([, { segment, tally }]) => {
      const shown = evidence.filter((fact) => isIn(fact, segment)).slice(0, EVIDENCE_MAX);
      return tally.observe(
        segment,
        shown.map(({ id }) => id),
        half,
      );
    });
}

function isIn(fact: Fact, { agent, target, tenant, category }: Segment): boolean {
  return (
    fact.agent === agent &&
    (target === null || fact.target === target) &&
    (tenant == null || fact.tenant === tenant) &&
    (category == null || fact.category === category)
  );
}

function adaptersOf(facts: readonly Fact[]): ReadonlyMap<string, Record<string, number>> {
  const byAgent = new Map<string, Record<string, number>>();
  for (const { agent, adapter, is_call } of facts) {
    if (!is_call) continue;
    const counts = byAgent.get(agent) ?? {};
    const name = adapter ?? 'none';
    byAgent.set(agent, { ...counts, [name]: (counts[name] ?? 0) + 1 });
  }
  return byAgent;
}

function isEvidence(fact: Fact): boolean {
  if (!fact.is_call) return false;
  return fact.metrics.has('error') || fact.verdicts.some(({ dissatisfied }) => dissatisfied);
}
