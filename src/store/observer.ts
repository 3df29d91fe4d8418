import type { SegmentObservation, Series, Window } from '../core/observation.ts';
import { DAY_MS, floorTo, HOUR_MS } from './cells.ts';
import type { Store } from './open.ts';
import { readSlowBars, type SlowBar } from './read-rollups.ts';
import type { RollupRow } from './rollup-row.ts';
import { type CountedBy, createTelling, type Half, metricsIn, type Sums } from './segment-sums.ts';
import { createSeriesReader } from './series.ts';
import { createClosedSums, createLatest, createSpanCache, type Span } from './spans.ts';
import { WINDOW_HOURS_MAX } from './unit-day.ts';
import { addParts, lockRollups } from './write-rollups.ts';

export interface ObserveOptions {
  readonly window: Window;
  /** Ids of evidence; a segment gets at most `EVIDENCE_MAX` of them. */
  readonly event_limit: number;
  /** For an agent whose policy changed within the window: what came before is of another policy. */
  readonly since_ms?: Readonly<Record<string, number>>;
}

/** A reader looks at a few; more would only fill the analysis' row. */
export const EVIDENCE_MAX = 100;
const PAST_DAYS = 7;

export interface Observed {
  readonly segments: readonly SegmentObservation[];
  readonly past: readonly SegmentObservation[];
  readonly halves: readonly [readonly SegmentObservation[], readonly SegmentObservation[]];
  readonly series: readonly Series[];
  /** Calls by adapter (`none` without one), by agent. */
  readonly adapters: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly slow_bars: ReadonlyMap<string, SlowBar>;
}

export interface Observer {
  observe(options: ObserveOptions): Promise<Observed>;
}

/**
 * Reads the rollups for collect. What a tick costs depends on the number of cells and of hours in a
 * window, not on calls: hours and days that were read are kept in memory and read again only when a
 * transaction has written to them since, so a tick reads the running hour and little else.
 */
export function createObserver(store: Store): Observer {
  const { db } = store;
  const hours = createSpanCache(db, HOUR_MS);
  const days = createSpanCache(db, DAY_MS);
  const series = createSeriesReader(db);
  const closed = createClosedSums();
  const pastOf = createLatest<readonly SegmentObservation[]>();
  /** One at a time: they share what they keep. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    observe(options) {
      const next = last.then(() => observe(options));
      last = next.catch(() => undefined);
      return next;
    },
  };

  async function observe({
    window,
    event_limit,
    since_ms = {},
  }: ObserveOptions): Promise<Observed> {
    await store.transaction(async (tx) => {
      await lockRollups(tx);
      await addParts(tx);
    });
    const slow_bars = await readSlowBars(db);
    const plan = planOf(window, since_ms);
    const past_to_ms = floorTo(plan.from_ms, DAY_MS);
    const past_from_ms = past_to_ms - PAST_DAYS * DAY_MS;
    const hourSpans = await hours.read({ from_ms: plan.hours_from_ms, to_ms: window.to_ms });
    const daysFrom_ms = Math.min(past_from_ms, plan.days_from_ms);
    // Today's day is written to all the time, and read only where days are what is counted.
    const daysTo_ms = plan.days_from_ms < window.to_ms ? window.to_ms : past_to_ms;
    const daySpans = await days.read({ from_ms: daysFrom_ms, to_ms: daysTo_ms });
    const barOf = ({ agent, span_ms }: RollupRow): number | null => {
      const since = slow_bars.get(agent)?.since_ms;
      return since === undefined ? null : Math.ceil(since / span_ms) * span_ms;
    };
    const within = ({ agent, span_ms, at_ms }: RollupRow): boolean => {
      const { by, from_ms } = plan.of(agent);
      return by === (span_ms === HOUR_MS ? 'hour' : 'day') && at_ms >= from_ms;
    };
    const fromOf = ({ agent }: RollupRow): number => plan.of(agent).from_ms;
    const rule = { within, fromOf, barOf };
    const sums = closed.sum('window', [...hourSpans, ...daySpans], rule);
    const pastSpans = daySpans.filter(({ at_ms }) => at_ms >= past_from_ms && at_ms < past_to_ms);
    const past = closed.sum('past', pastSpans, { ...rule, within: () => true });
    const metrics = metricsIn([sums, past]);
    const evidence_max = Math.min(event_limit, EVIDENCE_MAX);
    const show = (half: Half, most: number) => (agent: string) => ({
      half,
      metrics: metrics.get(agent) ?? new Set<string>(),
      evidence_max: most,
    });
    const tell = createTelling(sums);
    const segments = tell(show(null, evidence_max));
    const before = pastOf.of(stateOf([...pastSpans], metrics, slow_bars), () =>
      createTelling(past)(show(null, 0)),
    );
    return {
      segments,
      past: before,
      halves: [tell(show(0, evidence_max)), tell(show(1, evidence_max))],
      series: await series.read(window.to_ms, [...segments, ...before]),
      adapters: adaptersIn(sums),
      slow_bars,
    };
  }
}

/** What the past's segments are made of, as one string. */
function stateOf(
  spans: readonly Span[],
  metrics: ReadonlyMap<string, ReadonlySet<string>>,
  bars: ReadonlyMap<string, SlowBar>,
): string {
  const known = [...metrics].map(([agent, names]) => [agent, [...names].sort()]);
  return JSON.stringify([spans.map(({ at_ms, change }) => [at_ms, change]), known, [...bars]]);
}

interface WindowPlan {
  readonly from_ms: number;
  readonly hours_from_ms: number;
  readonly days_from_ms: number;
  of(agent: string): { readonly by: CountedBy; readonly from_ms: number };
}

/**
 * From when an agent is counted, and in which spans. Its window's first hour is whole; after a
 * change of its policy only hours that began since. Longer windows are of whole days.
 */
function planOf(window: Window, since_ms: Readonly<Record<string, number>>): WindowPlan {
  const memo = new Map<string, { by: CountedBy; from_ms: number }>();
  const inHours = (from_ms: number) =>
    window.to_ms - floorTo(from_ms, HOUR_MS) <= WINDOW_HOURS_MAX * HOUR_MS;
  const longest_ms = window.from_ms;
  const span = inHours(longest_ms) ? HOUR_MS : DAY_MS;
  const of = (agent: string) => {
    let known = memo.get(agent);
    if (!known) {
      const changed_ms = since_ms[agent] ?? Number.NEGATIVE_INFINITY;
      const start_ms = Math.max(window.from_ms, changed_ms);
      const by = inHours(start_ms) ? 'hour' : 'day';
      const span_ms = by === 'hour' ? HOUR_MS : DAY_MS;
      const cut = changed_ms > window.from_ms ? Math.ceil : Math.floor;
      known = { by, from_ms: cut(start_ms / span_ms) * span_ms };
      memo.set(agent, known);
    }
    return known;
  };
  const hours_from_ms = floorTo(window.to_ms, HOUR_MS) - (WINDOW_HOURS_MAX - 1) * HOUR_MS;
  const from_ms = floorTo(longest_ms, span);
  return {
    from_ms,
    hours_from_ms: span === HOUR_MS ? from_ms : hours_from_ms,
    days_from_ms: span === DAY_MS ? from_ms : Number.POSITIVE_INFINITY,
    of,
  };
}

function adaptersIn(sums: Sums): Observed['adapters'] {
  const adapters = new Map<string, Record<string, number>>();
  for (const { cell, sum } of sums.values()) {
    if (cell.target !== '' || cell.tenant !== '' || cell.category !== '') continue;
    const count = (name: string) => (sum.counts.get(name) ?? [0, 0]).reduce((a, b) => a + b, 0);
    const calls: Record<string, number> = {};
    let none = count('calls');
    for (const name of sum.counts.keys()) {
      if (!name.startsWith('adapter:')) continue;
      calls[name.slice('adapter:'.length)] = count(name);
      none -= count(name);
    }
    adapters.set(cell.agent, { ...calls, none });
  }
  return adapters;
}
