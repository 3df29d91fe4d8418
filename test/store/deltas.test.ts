import { expect, test } from 'vitest';
import { CELLS_MAX } from '../../src/store/cells.ts';
import { CONTROL, createDeltas, type Where } from '../../src/store/deltas.ts';
import { sql } from '../../src/store/drizzle.ts';
import { measuresOf } from '../../src/store/rollup-row.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

const HOUR_MS = 3_600_000;

describeStores('a batch’s deltas', ({ store }) => {
  const where = (over: Partial<Where> = {}): Where => ({
    at_ms: NOON_MS,
    agent: 'a',
    target: 't',
    tenant: '',
    category: '',
    arm: CONTROL,
    unit: 'u:1',
    ...over,
  });
  const hours = () =>
    rowsOf<{ target: string; calls: number; latency_p50_ms: number | null; evidence: unknown }>(
      store.db,
      sql`select target, calls::float8 as calls, latency_p50_ms, evidence from rollups
        where span_ms = ${HOUR_MS} order by target`,
    );

  test('deltas of batches add up, whether they were added one by one or all at once', async () => {
    const read: unknown[] = [];
    for (const each of [true, false]) {
      await emptyStore(store);
      for (let batch = 0; batch < 40; batch += 1) {
        const deltas = createDeltas();
        const measures = measuresOf({ latency_ms: 10 + batch });
        deltas.count(where(), { calls: 1 }, measures);
        await store.transaction((tx) => deltas.write(tx));
        if (each) await addParts(store.db);
      }
      await addParts(store.db);
      read.push(await hours());
    }
    expect(read[0]).toEqual(read[1]);
    expect(read[0]).toMatchObject([
      { target: '', calls: 40 },
      { target: 't', calls: 40 },
    ]);
  });

  test('deltas wait in at most a few parts, though nobody reads', async () => {
    for (let batch = 0; batch < 40; batch += 1) {
      const deltas = createDeltas();
      deltas.count(where(), { calls: 1 });
      await store.transaction((tx) => deltas.write(tx));
    }
    const [parts] = await rowsOf<{ n: number }>(
      store.db,
      sql`select count(*)::int as n from rollup_parts`,
    );
    expect(parts?.n).toBeLessThan(16);
  });

  test('deltas that an earlier version left are added up in the spans they name', async () => {
    const deltas = createDeltas();
    deltas.count(where(), { calls: 1 }, measuresOf({ latency_ms: 10 }));
    await store.transaction((tx) => deltas.write(tx));
    const row = (span_ms: number) => ({
      span_ms,
      at_ms: NOON_MS,
      arm: CONTROL,
      agent: 'a',
      target: 't',
      tenant: '',
      category: '',
      counts: { calls: [2, 0] },
      units: {},
      sketches: null,
      evidence: [],
    });
    const old = JSON.stringify([60_000, HOUR_MS, 24 * HOUR_MS].map(row));
    await store.db.execute(sql`insert into rollup_parts (rows) values (${old})`);
    await addParts(store.db);
    const rows = await rowsOf(
      store.db,
      sql`select span_ms::float8 as span_ms, calls::float8 as calls, latency_p50_ms is null as bare
        from rollups where target = 't' order by span_ms`,
    );
    expect(rows).toEqual([
      { span_ms: 60_000, calls: 3, bare: false },
      { span_ms: HOUR_MS, calls: 3, bare: false },
      { span_ms: 24 * HOUR_MS, calls: 3, bare: false },
    ]);
  });

  test('deltas take evidence back from a part or a row, whichever has it', async () => {
    const say = async (shows: boolean) => {
      const deltas = createDeltas();
      deltas.count(where(), { calls: 1 });
      deltas.evidence(where(), 'call_1', shows);
      await store.transaction((tx) => deltas.write(tx));
    };
    await say(true);
    await say(false);
    await addParts(store.db);
    expect((await hours())[0]).toMatchObject({ evidence: null });
    await say(true);
    await addParts(store.db);
    expect((await hours())[0]).toMatchObject({ evidence: [[NOON_MS, 'call_1', 1]] });
    await say(false);
    await addParts(store.db);
    expect((await hours())[0]).toMatchObject({ evidence: null });
  });

  test('deltas of more cells than a span has room for are counted as other', async () => {
    const deltas = createDeltas();
    const more = CELLS_MAX + 10;
    for (let n = 0; n < more; n += 1) deltas.count(where({ target: `t${n}` }), { calls: 1 });
    await store.transaction((tx) => deltas.write(tx));
    await addParts(store.db);
    const rows = await hours();
    expect(rows.length).toBeLessThanOrEqual(CELLS_MAX + 1);
    expect(rows[0]).toMatchObject({ target: '', calls: more });
    expect(rows.find(({ target }) => target === 'other')?.calls).toBe(11);
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(2 * more);
    const again = createDeltas();
    again.count(where({ target: `t${more - 1}` }), { calls: 1 });
    await store.transaction((tx) => again.write(tx));
    await addParts(store.db);
    expect((await hours()).find(({ target }) => target === 'other')?.calls).toBe(12);
  });
});
