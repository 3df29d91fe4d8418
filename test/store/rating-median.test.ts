import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { createObserver } from '../../src/store/observer.ts';
import type { Store } from '../../src/store/open.ts';
import { batchOf, callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { openTestStore } from '../kit/store.ts';

const HOUR_MS = 3_600_000;
let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

test('an observer takes the median of the day of a unit’s first rating in the window', async () => {
  // A day of UTC ends at NOON_MS.
  const rated = (id: string, hours: number, value: number) => {
    const at_ms = NOON_MS + hours * HOUR_MS;
    return [
      callEvent(`c${id}`, { at_ms }),
      feedbackEvent(`f${id}`, { call: `c${id}`, value, at_ms: at_ms + 1000 }),
    ];
  };
  const events = [...rated('early', -12, 1), ...rated('first', -8, 3), ...rated('today', 0, 5)];
  await applyBatch(store, batchOf(...events), { metrics: createMetrics(), log: silentLog });
  const { segments } = await createObserver(store).observe({
    window: { from_ms: NOON_MS - 11 * HOUR_MS, to_ms: NOON_MS + HOUR_MS },
    event_limit: 0,
  });
  // Of the day before the window has the second rating alone, and its median is of both.
  expect(segments[0]).toMatchObject({ ratings: 2, rating_by_unit: 2 });
});
