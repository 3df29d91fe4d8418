import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { sql } from '../../src/store/drizzle.ts';
import {
  canaryCells,
  canaryFreshness,
  complaintsOf,
  observeSegments,
  slowThreshold,
} from '../../src/store/observe.ts';
import type { Store } from '../../src/store/open.ts';
import { pruneStore } from '../../src/store/prune.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { batchOf, callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { backends, emptyStore } from '../kit/store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe.each(backends())('the store’s readings on $name', (backend) => {
  if (backend.missing !== null) {
    test.skip(`are skipped: ${backend.missing}`, () => {});
    return;
  }
  let store: Store;
  beforeAll(async () => {
    store = await backend.open();
  });
  afterAll(async () => {
    await store.close();
    backend.stop();
  });
  beforeEach(() => emptyStore(store));

  const apply = (...records: JournalRecord[]) =>
    applyBatch(store, batchOf(...records), { metrics: createMetrics(), log: silentLog });
  const window = { from_ms: NOON_MS - HOUR_MS, to_ms: NOON_MS + HOUR_MS };

  test('observeSegments counts calls and units by target and over all targets', async () => {
    await apply(
      callEvent('c1', { intended: 'mini', served: 'mini', unit: 'u:1', latency_ms: 30 }),
      callEvent('c2', { intended: 'demo', unit: 'u:1' }),
      callEvent('c3', { intended: 'demo', unit: 'u:2', arm_error: true, outcome: 'error' }),
      feedbackEvent('f1', { call: 'c2' }),
      feedbackEvent('f2', { call: 'c2', signal: 'helpful', value: 0 }),
      feedbackEvent('f3', { agent: 'default', rater: 'x', value: 2 }),
    );
    const stats = await observeSegments(store.db, { window, event_limit: 10 });
    expect(stats.map(({ segment }) => segment.target)).toEqual([null, 'demo', 'mini']);
    expect(stats[0]).toMatchObject({
      calls: 3,
      errors: 1,
      latency_sum_ms: 50,
      ratings: 2,
      rating_sum: 3,
      units: 2,
      units_error: 1,
      // The unit of the call, and the rater whose feedback names no call.
      units_rated: 2,
      units_dissatisfied: 2,
      evidence: ['c3', 'c2'],
    });
    expect(stats[1]).toMatchObject({ calls: 2, units: 2, units_rated: 1, units_dissatisfied: 1 });
    expect(stats[2]).toMatchObject({ calls: 1, errors: 0, units: 1, units_rated: 0, evidence: [] });
  });

  test('observeSegments leaves out canaries, probes, other times, busy units', async () => {
    const busy = Array.from({ length: 201 }, (_, n) => callEvent(`b${n}`, { unit: 'c:busy' }));
    await apply(
      callEvent('c1'),
      callEvent('c2', { experiment: 'e', arm: 'canary', share: 0.1, unit: 'u:2' }),
      callEvent('c3', { experiment: 'e', arm: 'control', share: 0.1, unit: 'u:3' }),
      callEvent('c4', { origin: 'probe', unit: 'u:4' }),
      callEvent('c5', { at_ms: NOON_MS + HOUR_MS, unit: 'u:5' }),
      ...busy,
    );
    const [all] = await observeSegments(store.db, { window, event_limit: 10 });
    expect(all).toMatchObject({ units: 2, calls: 203 });
  });

  test('observeSegments begins no earlier than an agent’s last change', async () => {
    await apply(
      callEvent('c1', { unit: 'u:1', arm_error: true }),
      callEvent('c2', { unit: 'u:2', at_ms: NOON_MS + HOUR_MS }),
      callEvent('c3', { unit: 'u:3', agent: 'other' }),
    );
    const stats = await observeSegments(store.db, {
      window: { from_ms: NOON_MS, to_ms: NOON_MS + 2 * HOUR_MS },
      event_limit: 10,
      since_ms: { default: NOON_MS + 10 * MINUTE_MS },
    });
    const totals = stats.filter(({ segment }) => segment.target === null);
    expect(totals).toMatchObject([
      { segment: { agent: 'default' }, calls: 1, units: 1, errors: 0, evidence: [] },
      { segment: { agent: 'other' }, calls: 1, units: 1 },
    ]);
  });

  test('observeSegments bounds evidence by event_limit, newest first', async () => {
    const failed = Array.from({ length: 5 }, (_, n) =>
      callEvent(`c${n}`, { arm_error: true, at_ms: NOON_MS + n }),
    );
    await apply(...failed);
    const [two] = await observeSegments(store.db, { window, event_limit: 2 });
    expect(two?.evidence).toEqual(['c4', 'c3']);
    const [none] = await observeSegments(store.db, { window, event_limit: 0 });
    expect(none?.evidence).toEqual([]);
  });

  test('canaryCells counts a unit once a metric, as its first call was assigned', async () => {
    const canary = { experiment: 'e', arm: 'canary', unit: 'u:1' };
    await apply(
      callEvent('c2', { ...canary, share: 0.1, at_ms: NOON_MS + 1000, arm_error: true }),
      callEvent('c1', { ...canary, share: 0.05 }),
      callEvent('c3', { ...canary, share: 0.1, at_ms: NOON_MS + 2000, arm_error: true }),
      callEvent('c4', { experiment: 'e', arm: 'control', share: 0.05, unit: 'u:2' }),
      feedbackEvent('f1', { call: 'c4' }),
    );
    const now_ms = NOON_MS + 10_000;
    const cells = await canaryCells(store.db, 'e', { now_ms, maturity_ms: 9_500 });
    expect(cells).toEqual([
      { metric: 'assigned', share: 0.05, arm: 'canary', units: 1, matured: 1 },
      { metric: 'assigned', share: 0.05, arm: 'control', units: 1, matured: 1 },
      { metric: 'dissatisfied', share: 0.05, arm: 'control', units: 1, matured: 1 },
      { metric: 'error', share: 0.1, arm: 'canary', units: 1, matured: 0 },
      { metric: 'rated', share: 0.05, arm: 'control', units: 1, matured: 1 },
    ]);
  });

  test('canaryFreshness counts control units since the canary was last heard of', async () => {
    const of = (arm: string, unit: string, at_ms: number, share = 0.1) =>
      callEvent(`${unit}${at_ms}`, { experiment: 'e', arm, unit, at_ms, share });
    await apply(of('control', 'u:1', NOON_MS), of('control', 'u:2', NOON_MS, 0.05));
    expect(await canaryFreshness(store.db, 'e', { share: 0.1 })).toEqual({
      canary_last_ms: null,
      control_units_since: 1,
    });
    await apply(of('canary', 'u:3', NOON_MS + 5), of('control', 'u:4', NOON_MS + 6));
    expect(await canaryFreshness(store.db, 'e', { share: 0.1 })).toEqual({
      canary_last_ms: NOON_MS + 5,
      control_units_since: 1,
    });
  });

  test('complaintsOf counts people who complained about the canary, each once', async () => {
    const complaint = { signal: 'complaint', value: 1 } as const;
    await apply(
      callEvent('c1', { experiment: 'e', arm: 'canary', share: 0.1 }),
      callEvent('c2', { experiment: 'e', arm: 'canary', share: 0.1 }),
      callEvent('c3', { experiment: 'e', arm: 'control', share: 0.1 }),
      feedbackEvent('f1', { ...complaint, call: 'c1', rater: 'a' }),
      feedbackEvent('f2', { ...complaint, call: 'c2', rater: 'a' }),
      feedbackEvent('f3', { ...complaint, call: 'c2', rater: 'b' }),
      feedbackEvent('f4', { ...complaint, call: 'c3', rater: 'c' }),
      feedbackEvent('f5', { call: 'c1', rater: 'd' }),
    );
    expect(await complaintsOf(store.db, 'e', { since_ms: NOON_MS })).toBe(2);
    expect(await complaintsOf(store.db, 'e', { since_ms: NOON_MS + HOUR_MS })).toBe(0);
  });

  test('slowThreshold stands a quarter or 50 ms above p95 of 72 or more calls', async () => {
    const calls = (n: number, ms: number) =>
      Array.from({ length: n }, (_, index) => callEvent(`c${index}`, { latency_ms: ms }));
    const now_ms = NOON_MS + 1;
    await apply(...calls(71, 100));
    expect(await slowThreshold(store.db, 'default', { now_ms })).toBeNull();
    await apply(...calls(72, 100));
    expect(await slowThreshold(store.db, 'default', { now_ms })).toBe(150);
    await emptyStore(store);
    await apply(...calls(80, 1000));
    expect(await slowThreshold(store.db, 'default', { now_ms })).toBe(1250);
    const nextWeek_ms = now_ms + 7 * DAY_MS;
    expect(await slowThreshold(store.db, 'default', { now_ms: nextWeek_ms })).toBeNull();
  });

  test('pruneStore deletes what the policy no longer keeps, rollups later', async () => {
    await apply(
      callEvent('c1'),
      callEvent('c2', { at_ms: NOON_MS + 8 * DAY_MS }),
      feedbackEvent('f1', { agent: 'default' }),
    );
    await pruneStore(store, { now_ms: NOON_MS + 8 * DAY_MS, events_days: 7 });
    expect(await rowsOf(store.db, sql`select id from calls`)).toEqual([{ id: 'c2' }]);
    expect(await rowsOf(store.db, sql`select id from feedback`)).toEqual([]);
    const minutes = sql`select count(*)::int as n from rollup_minutes`;
    expect(await rowsOf(store.db, minutes)).toEqual([{ n: 3 }]);
    await pruneStore(store, { now_ms: NOON_MS + 12 * DAY_MS, events_days: 7 });
    expect(await rowsOf(store.db, minutes)).toEqual([{ n: 1 }]);
  });
});
