import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { HOUR_MS } from '../../src/store/cells.ts';
import { sql } from '../../src/store/drizzle.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { createUnitDays, type UnitDays } from '../../src/store/unit-days.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { halfOf } from '../../src/store/write-units.ts';
import { batchOf, callEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

describe('createUnitDays', () => {
  const seen = (days: UnitDays, unit: string) => days.of('a', unit).days;

  test('unit days are kept while nobody else has written, and forgotten else', () => {
    const days = createUnitDays(halfOf);
    days.startAt(3);
    seen(days, 'u:1').set(0, null);
    days.endAt(4);
    days.startAt(4);
    expect(seen(days, 'u:1').has(0)).toBe(true);
    days.endAt(5);
    days.startAt(6);
    expect(seen(days, 'u:1').has(0)).toBe(false);
  });

  test('unit days of a batch that was not committed are forgotten', () => {
    const days = createUnitDays(halfOf);
    days.startAt(3);
    seen(days, 'u:1').set(0, null);
    days.forget();
    days.startAt(3);
    expect(seen(days, 'u:1').size).toBe(0);
  });

  test('unit days are kept of the units that were seen last, and of few days of each', () => {
    const days = createUnitDays(halfOf, 2);
    days.startAt(0);
    for (const unit of ['u:1', 'u:2']) seen(days, unit).set(0, null);
    days.endAt(1);
    days.startAt(1);
    for (const unit of ['u:1', 'u:3']) seen(days, unit).set(0, null);
    for (let day = 0; day < 100; day += 1) seen(days, 'u:1').set(day, null);
    days.endAt(2);
    days.startAt(2);
    expect(seen(days, 'u:2').size).toBe(0);
    expect(seen(days, 'u:1').size).toBeLessThan(20);
  });
});

describeStores('units kept from batch to batch', ({ store }) => {
  const state = async () => {
    await addParts(store.db);
    return {
      facts: await rowsOf(store.db, sql`select * from unit_facts order by day_ms, agent, unit`),
      units: await rowsOf(
        store.db,
        sql`select span_ms, at_ms, target, counts, units from rollups
          order by span_ms, at_ms, target, tenant, category`,
      ),
    };
  };

  test('what is stored is the same, kept or not, though others write or batches fail', async () => {
    const call = fc.record({
      unit: fc.integer({ min: 1, max: 3 }),
      hour: fc.integer({ min: -30, max: 30 }),
      by: fc.constantFrom<'kept' | 'other' | 'failing'>('kept', 'kept', 'other', 'failing'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 3, maxLength: 10 }), async (calls) => {
        const written: unknown[] = [];
        for (const keeps of [true, false]) {
          await emptyStore(store);
          const days = createUnitDays(halfOf);
          for (const [n, { unit, hour, by }] of calls.entries()) {
            const at_ms = NOON_MS + hour * HOUR_MS;
            const event = callEvent(`c${n}`, { at_ms, unit: `u:${unit}` });
            const mine = keeps && by !== 'other' ? { days } : {};
            const deps = { metrics: createMetrics(), log: silentLog, ...mine };
            const good = batchOf(event as JournalRecord);
            if (by === 'failing') {
              const bad = { segment: 's', offset: Number.NaN, done: false };
              await expect(applyBatch(store, { ...good, cursors: [bad] }, deps)).rejects.toThrow();
            }
            await applyBatch(store, good, deps);
          }
          written.push(await state());
        }
        expect(written[0]).toEqual(written[1]);
      }),
      { numRuns: 3, seed: 5 },
    );
  });
});
