import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CallEvent, FeedbackEvent } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Observation, SegmentObservation } from '../../src/core/observation.ts';
import { sketchQuantile } from '../../src/core/sketch.ts';
import { createCollector } from '../../src/sim/collect.ts';
import { worldPolicy } from '../../src/sim/policy-files.ts';
import { runWorld } from '../../src/sim/run-world.ts';
import { WORLD_BEGIN_MS } from '../../src/sim/traffic.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { createObserver, type Observed } from '../../src/store/observe.ts';
import type { Store } from '../../src/store/open.ts';
import { batchOf, callEvent, feedbackEvent } from '../kit/events.ts';
import { openTestStore } from '../kit/store.ts';
import { smallWorld, TWO_TENANTS } from './world-kit.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const world = smallWorld({
  days: 3.25,
  users: {
    ...TWO_TENANTS,
    // Each rates at most once: what is said again of an agent counts by the store's batches.
    crowd: {
      agent: 'helper',
      tenant: 'rival',
      count: 60,
      calls_per_day: 1,
      says: 1,
      calls: false,
      from: 3,
      until: 3.15,
    },
  },
  happenings: [{ day: 2.5, until: 2.7, model: 'a', down: true }],
});

function eventsOf(seed: number): readonly (CallEvent | FeedbackEvent)[] {
  const events: (CallEvent | FeedbackEvent)[] = [];
  runWorld(world, { seed, detectors: [], onEvent: (event) => events.push(event) });
  return events;
}

function observedBySim(events: readonly (CallEvent | FeedbackEvent)[], at_ms: number): Observation {
  const collector = createCollector();
  for (const event of events) {
    if (event.type === 'call') collector.call(event);
    else collector.feedback(event);
  }
  const { policy } = worldPolicy(world.scenario);
  const look = { at_ms, window_hours: 24, version: 'v', policy, since_ms: {}, frozen: [] };
  return collector.observe(look);
}

/** What both must say alike: of metrics those that happened at all. */
function comparable(segments: readonly SegmentObservation[]) {
  return segments.map((one) => ({
    ...one,
    segment: {
      ...one.segment,
      tenant: one.segment.tenant ?? null,
      category: one.segment.category ?? null,
    },
    users: one.users,
    evidence: undefined,
    rating_by_unit: undefined,
    rates: Object.fromEntries(
      Object.entries(one.rates).filter(([name, { events }]) => events > 0 && name !== 'slow'),
    ),
    quantities: Object.fromEntries(
      Object.entries(one.quantities).map(([name, sketch]) => [
        name,
        {
          count: sketch.count,
          sum: Number(sketch.sum.toPrecision(9)),
          bins: sketch.bins,
          median: Number(sketchQuantile(sketch, 0.5).toPrecision(6)),
        },
      ]),
    ),
  }));
}
const cellOf = ({ segment }: { readonly segment: SegmentObservation['segment'] }): string =>
  [segment.agent, segment.target, segment.tenant, segment.category].join('|');
const byCell = (segments: readonly SegmentObservation[]) =>
  new Map(comparable(segments).map((one) => [cellOf(one), one]));

describe('the collector', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(() => store.close());

  test('folds the same events into the same observation as the store does', async () => {
    const events = eventsOf(4);
    const at_ms = WORLD_BEGIN_MS + 3.25 * DAY_MS;
    for (let from = 0; from < events.length; from += 500) {
      const batch = batchOf(...events.slice(from, from + 500));
      await applyBatch(store, batch, { metrics: createMetrics(), log: silentLog });
    }
    const window = { from_ms: at_ms - DAY_MS, to_ms: at_ms };
    const stored: Observed = await createObserver(store).observe({ window, event_limit: 100 });
    const simulated = observedBySim(events, at_ms);
    expect(byCell(simulated.segments)).toEqual(byCell(stored.segments));
    expect(byCell(simulated.past)).toEqual(byCell(stored.past));
    for (const half of [0, 1] as const) {
      expect(byCell(simulated.halves[half])).toEqual(byCell(stored.halves[half]));
    }
    // The store takes the median of the day of a unit's first rating; here it is of the window.
    const ratingIn = ({ segments }: { readonly segments: readonly SegmentObservation[] }) =>
      segments.find(({ segment }) => segment.target === null && !segment.category)?.rating_by_unit;
    expect(Math.abs((ratingIn(simulated) ?? 0) - (ratingIn(stored) ?? 9))).toBeLessThan(0.2);
    const shown = (segments: readonly SegmentObservation[]) =>
      segments.map(({ evidence }) => new Set(evidence));
    expect(shown(simulated.segments).some((ids) => ids.size > 0)).toBe(true);
  }, 60_000);

  test('leaves canary calls out, and counts the newest verdict of a rater', () => {
    const at_ms = WORLD_BEGIN_MS + DAY_MS;
    const call = (id: string, over: Partial<CallEvent> = {}) =>
      callEvent(id, { agent: 'helper', intended: 'a', at_ms: at_ms - HOUR_MS, ...over });
    const said = (id: string, value: number) =>
      feedbackEvent(id, { call: 'c1', value, at_ms: at_ms - 1000 + value });
    const { segments } = observedBySim(
      [
        call('c1'),
        call('c2', { unit: 'u:2', arm: 'canary', experiment: 'e', share: 0.1 }),
        said('f1', 1),
        said('f2', 5),
      ],
      at_ms,
    );
    const whole = segments.find(({ segment }) => segment.target === null && !segment.tenant);
    expect(whole).toMatchObject({ calls: 1, users: 1, ratings: 1, rating_by_unit: 5 });
    expect(whole?.rates.dissatisfied).toEqual({ units: 1, events: 0 });
  });
});
