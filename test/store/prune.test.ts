import { expect, test } from 'vitest';
import { upsertCycle } from '../../src/store/audit-trail.ts';
import { sql } from '../../src/store/drizzle.ts';
import { pruneStore } from '../../src/store/prune.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { describeStores } from '../kit/store-suite.ts';

const DAY_MS = 86_400_000;

describeStores('pruneStore', ({ store, apply }) => {
  const prune = (days: number) =>
    addParts(store.db).then(() =>
      pruneStore(store, { now_ms: NOON_MS + days * DAY_MS + 1, events_days: 7 }),
    );
  const ids = (table: string) =>
    rowsOf(store.db, sql`select id from ${sql.raw(table)} order by id`);
  /** How many spans of each length are left, and of how many the changes are known. */
  const spans = async () => {
    const rows = await rowsOf<{ span_ms: number; spans: number; changes: number }>(
      store.db,
      sql`select r.span_ms::float8 as span_ms, count(distinct r.at_ms)::int as spans,
        (select count(*)::int from rollup_changes c where c.span_ms = r.span_ms) as changes
      from rollups r group by r.span_ms order by r.span_ms`,
    );
    return rows.map(({ span_ms, spans: n, changes }) => [span_ms, n, changes]);
  };
  const unitDays = () => rowsOf(store.db, sql`select day_ms::float8 as day_ms from unit_facts`);

  test('pruneStore deletes events as the policy says, and rollups by their span', async () => {
    await apply(
      callEvent('c1'),
      callEvent('c2', { at_ms: NOON_MS + 8 * DAY_MS }),
      feedbackEvent('f1', { call: 'c1' }),
    );
    await prune(8);
    expect(await ids('calls')).toEqual([{ id: 'c2' }]);
    expect(await ids('feedback')).toEqual([]);
    expect(await spans()).toEqual([
      [60_000, 1, 1],
      [3_600_000, 2, 2],
      [DAY_MS, 2, 2],
    ]);
    await prune(31);
    expect(await spans()).toEqual([
      [3_600_000, 1, 1],
      [DAY_MS, 2, 2],
    ]);
    await prune(4 * 365);
    expect(await spans()).toEqual([]);
  });

  test('pruneStore keeps a unit’s days for as long as its calls may be rated', async () => {
    await apply(callEvent('c1'));
    await prune(9);
    expect(await unitDays()).toHaveLength(1);
    await prune(10);
    expect(await unitDays()).toEqual([]);
  });

  test('pruneStore deletes cycles that are over, and analyses after a season', async () => {
    const cycle = { started_ms: NOON_MS, ended_ms: null, stages: {} };
    await upsertCycle(store.db, { ...cycle, id: 'a', state: 'done' });
    await upsertCycle(store.db, { ...cycle, id: 'b', state: 'running' });
    await store.db.execute(
      sql`insert into analyses (id, at_ms, body) values ('x', ${NOON_MS}, '{}'::jsonb)`,
    );
    await prune(8);
    expect(await ids('cycles')).toEqual([{ id: 'b' }]);
    expect(await ids('analyses')).toEqual([{ id: 'x' }]);
    await prune(91);
    expect(await ids('analyses')).toEqual([]);
  });
});
