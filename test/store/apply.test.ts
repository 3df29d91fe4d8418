import { beforeEach, expect, test } from 'vitest';
import type { CallEvent, FeedbackEvent, JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics, type Metrics } from '../../src/core/metrics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { readCursors } from '../../src/store/cursors.ts';
import { sql } from '../../src/store/drizzle.ts';
import { readEpoch, readMutations, upsertLedger } from '../../src/store/ledger.ts';
import { canaryCells, withheldOf } from '../../src/store/observe.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { batchOf, callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

describeStores('applyBatch', ({ store }) => {
  let metrics: Metrics;
  beforeEach(async () => {
    metrics = createMetrics();
  });

  const apply = (...records: JournalRecord[]) =>
    applyBatch(store, batchOf(...records), { metrics, log: silentLog });

  /** Of agents and their targets, by arm: what was counted in all. */
  const rollups = async () => {
    await addParts(store.db);
    const rows = await rowsOf<{ counts: Record<string, number[]>; [name: string]: unknown }>(
      store.db,
      sql`select agent, target, arm, counts from rollups
      where span_ms = 86400000 and tenant = '' and category = ''
      order by agent, target, arm, at_ms`,
    );
    return rows.map(({ counts, ...row }) => ({ ...row, ...sums(counts) }));
  };
  /** Distinct units of agents and targets, by metric, in the day. */
  const units = async () => {
    await addParts(store.db);
    const rows = await rowsOf<{ target: string; units: Record<string, number[]> | null }>(
      store.db,
      sql`select target, units from rollups where span_ms = 86400000 and tenant = ''
        and category = '' and arm = 'control' order by target`,
    );
    return rows.map(({ target, units: by }) => ({ target, ...sums(by ?? {}) }));
  };
  const feedbackRows = () =>
    rowsOf<Record<string, unknown>>(
      store.db,
      sql`select id, matched, call, duplicate, counted from feedback order by id`,
    );

  test('applyBatch takes a call for which an upstream made up any number of tokens', async () => {
    await apply(
      callEvent('c1', { tokens: { in: 3e9, cached: 1e300, out: 2 ** 31, estimated: false } }),
    );
    const most = 2 ** 31 - 1;
    expect(
      await rowsOf(store.db, sql`select tokens_in, tokens_cached, tokens_out from calls`),
    ).toEqual([{ tokens_in: most, tokens_cached: most, tokens_out: most }]);
  });

  test('applyBatch adds calls up by agent, target and arm', async () => {
    await apply(
      callEvent('c1'),
      callEvent('c2', { outcome: 'error', arm_error: true, served: null }),
      callEvent('c3', { outcome: 'aborted', relation: 'retry' }),
      callEvent('c4', { outcome: 'rejected', intended: null, served: null }),
      callEvent('c5', { origin: 'probe' }),
      callEvent('c6', { experiment: 'exp_1', arm: 'canary', share: 0.05, unit: 'u:2' }),
    );
    const control = { calls: 3, error: 1, abort: 1, retry: 1 };
    expect(await rollups()).toEqual([
      { agent: 'default', target: '', arm: 'canary', calls: 1 },
      { agent: 'default', target: '', arm: 'control', ...control, rejected: 1 },
      { agent: 'default', target: 'demo', arm: 'canary', calls: 1 },
      { agent: 'default', target: 'demo', arm: 'control', ...control },
    ]);
    // The canary's unit is the monitor's alone.
    const once = { calls: 1, users: 1, error: 1, abort: 1, retry: 1 };
    expect(await units()).toEqual([
      { target: '', ...once },
      { target: 'demo', ...once },
    ]);
  });

  test('applyBatch counts a batch that is read again once', async () => {
    const records = [
      callEvent('c1', { experiment: 'e', arm: 'canary', share: 0.1 }),
      callEvent('c2', { relation: 'regeneration', parent: 'c1' }),
      feedbackEvent('f1', { call: 'c1' }),
      feedbackEvent('f2', { agent: 'default', rater: 'other' }),
    ];
    await apply(...records, ...records);
    const once = [await rollups(), await units(), await feedbackRows()];
    await apply(...records);
    expect([await rollups(), await units(), await feedbackRows()]).toEqual(once);
    const matched = metrics.snapshot().hive_feedback_matched_total;
    expect(matched?.map(({ labels, value }) => [labels[0], value])).toEqual([
      ['call', 1],
      ['agent', 1],
    ]);
  });

  test('applyBatch commits cursors and dead letters with the records, or nothing', async () => {
    const dead = [
      { segment: 'w-1.log', offset: 3, length: 4, reason: 'no JSON', bytes: Buffer.from('bad!') },
    ];
    const cursors = [{ segment: 'w-1.log', offset: 99, done: true }];
    const batch = { ...batchOf(callEvent('c1')), dead, cursors };
    await applyBatch(store, batch, { metrics, log: silentLog });
    expect(await readCursors(store.db)).toEqual(new Map([['w-1.log', { offset: 99, done: true }]]));
    const letters = await rowsOf(store.db, sql`select id, reason, bytes from dead_letters`);
    expect(letters).toEqual([{ id: 'w-1.log:3', reason: 'no JSON', bytes: 'YmFkIQ==' }]);
    const broken = callEvent('c2', { agent: null as unknown as string });
    const bad = { ...batchOf(callEvent('c3'), broken), dead: [], cursors: [] };
    const failed = applyBatch(store, bad, { metrics, log: silentLog });
    await expect(failed).rejects.toThrow(/null value in column "agent"/);
    expect(await rowsOf(store.db, sql`select id from calls`)).toEqual([{ id: 'c1' }]);
  });

  test('applyBatch stores what Postgres cannot hold as text, mended', async () => {
    await apply(feedbackEvent('f1', { text: 'a\0b\ud800c' }));
    const rows = await rowsOf<{ text: string }>(store.db, sql`select text from feedback`);
    expect(rows).toEqual([{ text: 'a\ufffdb\ufffdc' }]);
  });

  test.each([
    ['its id', { call: 'c1' }],
    ['the completion’s id', { completion_id: 'cmpl_c1' }],
    ['the request’s id', { request_id: 'req_c1' }],
    ['its session', { session: 's1' }],
  ])('applyBatch matches feedback to a call by %s, whichever comes first', async (_how, named) => {
    const call = callEvent('c1', { session: 's1', at_ms: NOON_MS });
    const said = feedbackEvent('f1', { ...named, agent: 'default' });
    await apply(call);
    await apply(said);
    const forwards = [await rollups(), await units(), await feedbackRows()];
    expect(forwards[2]).toMatchObject([{ call: 'c1', counted: true }]);
    await emptyStore(store);
    await apply(said);
    expect(await feedbackRows()).toMatchObject([{ matched: 'agent', counted: true }]);
    await apply(call);
    expect([await rollups(), await units(), await feedbackRows()]).toEqual(forwards);
  });

  test('applyBatch matches nothing of another tenant, of another call, or too late', async () => {
    const minute = 60_000;
    await apply(
      callEvent('c1', { session: 's1', tenant: 'other' }),
      callEvent('c2', { session: 's2' }),
      feedbackEvent('f1', { call: 'c1' }),
      feedbackEvent('f2', { session: 's1' }),
      feedbackEvent('f3', { session: 's2', at_ms: NOON_MS + 31 * minute }),
      // A wrong name is never held against the session's call.
      feedbackEvent('f4', { call: 'unknown', session: 's2' }),
      feedbackEvent('f5', { session: 's2', agent: 'another' }),
      feedbackEvent('f6', { session: 's2', channel: 'header', key: 'another' }),
    );
    const rows = await feedbackRows();
    expect(rows.map(({ id, matched }) => [id, matched])).toEqual([
      ['f1', 'none'],
      ['f2', 'none'],
      ['f3', 'none'],
      ['f4', 'none'],
      ['f5', 'agent'],
      ['f6', 'none'],
    ]);
    await apply(callEvent('unknown', { at_ms: NOON_MS + 40 * minute, session: 's9' }));
    expect((await feedbackRows()).find(({ id }) => id === 'f4')).toMatchObject({ matched: 'none' });
  });

  test('applyBatch takes the newest call of a session', async () => {
    await apply(
      callEvent('c1', { session: 's' }),
      callEvent('c2', { session: 's', at_ms: NOON_MS + 500 }),
      callEvent('c3', { session: 's', at_ms: NOON_MS + 2000 }),
      feedbackEvent('f1', { session: 's', at_ms: NOON_MS + 1000 }),
    );
    expect(await feedbackRows()).toMatchObject([{ call: 'c2', matched: 'session' }]);
  });

  test('applyBatch takes a value back when its rater gives another', async () => {
    const experiment = { experiment: 'e', arm: 'canary', share: 0.1 };
    await apply(callEvent('c1', experiment), feedbackEvent('f1', { call: 'c1', value: 1 }));
    const dissatisfied = async () =>
      (await canaryCells(store.db, 'e', { now_ms: NOON_MS, maturity_ms: 0 })).map(
        ({ metric, units: n }) => `${metric} ${n}`,
      );
    expect(await dissatisfied()).toEqual(['assigned 1', 'dissatisfied 1', 'rated 1']);
    await apply(feedbackEvent('f2', { call: 'c1', value: 5, at_ms: NOON_MS + 5000 }));
    expect(await dissatisfied()).toEqual(['assigned 1', 'rated 1']);
    const [all] = await rollups();
    expect(all).toMatchObject({ rating: 1, rating_sum: 5, rated: 1 });
    expect(all).not.toHaveProperty('dissatisfied');
  });

  test('applyBatch counts a regeneration against the earlier call, in any order', async () => {
    const earlier = callEvent('c1', { experiment: 'e', arm: 'canary', share: 0.1 });
    const again = callEvent('c2', { relation: 'regeneration', parent: 'c1' });
    await apply(again);
    await apply(earlier);
    const backwards = await rollups();
    const counts = { calls: 1, regeneration: 1 };
    expect(backwards).toContainEqual({
      agent: 'default',
      target: 'demo',
      arm: 'canary',
      ...counts,
    });
    await emptyStore(store);
    await apply(earlier, again);
    expect(await rollups()).toEqual(backwards);
  });

  test('applyBatch lets the ledger’s higher epoch stand', async () => {
    const ledger = (epoch: number, state: string): JournalRecord => ({
      type: 'ledger',
      v: 1,
      at_ms: NOON_MS,
      epoch,
      changes: [{ table: 'mutations', row: { id: 'm1', state, agent: 'default', seq: 1 } }],
    });
    await apply(ledger(5, 'canary'));
    await apply(ledger(4, 'planned'));
    expect(await readMutations(store.db)).toMatchObject([{ state: 'canary', epoch: 5 }]);
    await apply(ledger(6, 'withdrawn'), ledger(6, 'withdrawn'));
    expect(await readMutations(store.db)).toMatchObject([{ state: 'withdrawn', epoch: 6 }]);
    expect(await readEpoch(store.db)).toBe(6);
  });

  test('applyBatch counts a call as slow above what its experiment froze', async () => {
    const row = { id: 'e', state: 'canary', agent: 'default', slow_ms: 100 };
    await upsertLedger(store.db, [{ table: 'experiments', row }], 1);
    const arm = { experiment: 'e', arm: 'control', share: 0.1 };
    await apply(
      callEvent('c1', { ...arm, latency_ms: 100 }),
      callEvent('c2', { ...arm, latency_ms: 101, unit: 'u:2' }),
      callEvent('c3', { ...arm, experiment: 'other', latency_ms: 1000 }),
    );
    const cells = await canaryCells(store.db, 'e', { now_ms: NOON_MS, maturity_ms: 0 });
    expect(cells.find(({ metric }) => metric === 'slow')?.units).toBe(1);
  });

  test('applyBatch keeps what the gateway withheld, and reports', async () => {
    const withheld = {
      type: 'canary.withheld',
      v: 1,
      at_ms: NOON_MS,
      experiment: 'e',
      epoch: 3,
      cause: 'expired',
      reason: 'no heartbeat',
    } as const;
    const report = { type: 'report', v: 1, id: 'r1', at_ms: NOON_MS, tenant: 'default' } as const;
    const values = { response_time_ms: 250 };
    await apply(withheld, withheld, { ...report, agent: null, session: null, values });
    expect(await withheldOf(store.db, 'e')).toEqual([
      { epoch: 3, at_ms: NOON_MS, cause: 'expired', reason: 'no heartbeat' },
    ]);
    expect(await rowsOf(store.db, sql`select "values" from reports`)).toEqual([{ values }]);
  });

  test('applyBatch comes to the same sums however the records are cut into batches', async () => {
    const calls = Array.from({ length: 6 }, (_, n): CallEvent => {
      const arm = { experiment: 'e', arm: n % 2 ? 'canary' : 'control', share: 0.5 };
      return callEvent(`c${n}`, { ...arm, unit: `u:${n % 3}`, at_ms: NOON_MS + n });
    });
    const said = Array.from({ length: 12 }, (_, n): FeedbackEvent => {
      const about = { call: `c${n % 6}`, agent: 'default', rater: `r${n % 2}` };
      return feedbackEvent(`f${n}`, { ...about, value: 1 + (n % 5), at_ms: NOON_MS + 100 + n });
    });
    const results: string[] = [];
    for (const order of [[...calls, ...said], [...said].reverse().concat([...calls] as never[])]) {
      await emptyStore(store);
      for (const record of order) await apply(record);
      const cells = await canaryCells(store.db, 'e', { now_ms: NOON_MS, maturity_ms: 0 });
      results.push(JSON.stringify([await rollups(), await units(), cells]));
    }
    await emptyStore(store);
    await apply(...calls, ...said);
    const cells = await canaryCells(store.db, 'e', { now_ms: NOON_MS, maturity_ms: 0 });
    results.push(JSON.stringify([await rollups(), await units(), cells]));
    expect(new Set(results).size).toBe(1);
  });
});

/** By name, over both halves of units; without what is 0. */
function sums(counts: Readonly<Record<string, readonly number[]>>): Record<string, number> {
  const added = Object.entries(counts).map(
    ([name, [first = 0, second = 0]]) => [name, first + second] as const,
  );
  return Object.fromEntries(added.filter(([, sum]) => sum !== 0));
}
