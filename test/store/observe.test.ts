import { expect, test } from 'vitest';
import { canaryUnits } from '../../src/store/canary-stats.ts';
import {
  canaryArrivals,
  canaryCells,
  canaryFreshness,
  complaintsOf,
  slowThreshold,
} from '../../src/store/observe.ts';
import { callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describeStores('the store’s readings', ({ store, apply }) => {
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

  test('canaryArrivals counts units new to the share, the experiment and the metric', async () => {
    const of = (unit: string, hours: number, share = 0.1, arm_error = false) =>
      callEvent(`${unit}.${hours}.${share}`, {
        experiment: 'e',
        arm: 'control',
        unit,
        share,
        arm_error,
        at_ms: NOON_MS + hours * HOUR_MS,
      });
    const read = (share: number) =>
      canaryArrivals(
        store.db,
        { id: 'e', share, primary: 'error' },
        { now_ms: NOON_MS + DAY_MS, since_ms: NOON_MS },
      );
    await apply(of('u:1', -2, 0.05), of('u:2', -1), of('u:2', 3), of('u:3', 5));
    // Nothing in the second half: paused, frozen or without traffic.
    expect(await read(0.1)).toBeNull();
    await apply(of('u:1', 13, 0.1, true), of('u:2', 14, 0.1, true), of('u:2', 15, 0.1, true));
    expect(await read(0.1)).toEqual({ at_share: 2, in_all: 1, primary: 2 });
    expect(await read(0.05)).toBeNull();
    await apply({ ...of('u:4', 16), origin: 'probe' });
    expect(await read(0.1)).toMatchObject({ at_share: 2 });
  });

  test('canaryUnits counts units that the canary served, also those first in control', async () => {
    const of = (id: string, unit: string, arm: string, share: number, over = {}) =>
      callEvent(id, { experiment: 'e', arm, unit, share, ...over });
    await apply(
      of('c1', 'u:1', 'canary', 0.05),
      of('c2', 'u:1', 'canary', 0.1),
      of('c3', 'u:2', 'control', 0.05),
      of('c4', 'u:3', 'canary', 0.1, { outcome: 'rejected' }),
    );
    await apply(of('c5', 'u:2', 'canary', 0.1), of('c1', 'u:1', 'canary', 0.05));
    expect(await canaryUnits(store.db, 'e', { share: 0.1 })).toEqual({
      canary_units: 2,
      canary_units_at_share: 2,
    });
    expect(await canaryUnits(store.db, 'e', { share: 0.05 })).toMatchObject({
      canary_units_at_share: 1,
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
});
