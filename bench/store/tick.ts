import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { sql } from '../../src/store/drizzle.ts';
import { createObserver } from '../../src/store/observe.ts';
import type { Db, Store } from '../../src/store/open.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { createUnitDays } from '../../src/store/unit-days.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { halfOf } from '../../src/store/write-units.ts';
import { createPlace, type Kind, kindsAsked, openIn } from './place.ts';
import { syntheticRecords } from './synthetic.ts';

/**
 * What collect costs with a million calls of 14 days in the store: the last day is ingested, and
 * copied to the days before by SQL, in a process of its own. Then a fresh process, as the worker is
 * after a restart, ticks once a minute with the minute's calls applied in between.
 *
 *     node bench/store/tick.ts [pglite|postgres] [--calls 1000000]
 */
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DAYS = 14;
const flag = process.argv.indexOf('--calls');
const CALLS = flag < 0 ? 1_000_000 : Number(process.argv[flag + 1]);
const CALLS_A_DAY = Math.ceil(CALLS / DAYS);
const TICKS = 40;
const deps = { metrics: createMetrics(), log: silentLog, days: createUnitDays(halfOf) };
const END_MS = Date.UTC(2026, 0, 19);
const EVERY_MS = DAY_MS / CALLS_A_DAY;

// As the worker does.
setFlagsFromString('--heap-growing-percent=50');
const [, , asked, dir, url] = process.argv;
if (asked === 'fill') await fill(dir as string, url || null);
else for (const kind of kindsAsked(process.argv)) await measure(kind);

async function fill(data_dir: string, database_url: string | null): Promise<void> {
  const store = await openIn({ dir: data_dir, database_url });
  const from_ms = END_MS - DAY_MS;
  const records = syntheticRecords({ seed: 3, from_ms, every_ms: EVERY_MS, units: 30_000 });
  for (let more = true; more; ) {
    const batch = Array.from({ length: 1000 }, () => records.next().value as JournalRecord);
    const until = batch.filter(({ at_ms }) => at_ms < END_MS);
    await apply(store, until);
    more = until.length === batch.length;
  }
  await addParts(store.db);
  for (let day = 1; day < DAYS; day += 1) await store.transaction((tx) => copyDay(tx, day));
  await store.db.execute(sql`analyze`);
  await store.close();
}

function apply(store: Store, records: readonly JournalRecord[]): Promise<void> {
  const batch = records.map((record, offset) => ({ segment: 'g0-bench-1.log', offset, record }));
  return applyBatch(store, { records: batch, dead: [], cursors: [] }, deps);
}

/** The last day's rows again, that many days earlier. */
async function copyDay(db: Db, days: number): Promise<void> {
  const back_ms = days * DAY_MS;
  await db.execute(
    sql`create temp table again as select * from calls where at_ms >= ${END_MS - DAY_MS}`,
  );
  await db.execute(sql`update again set at_ms = at_ms - ${back_ms}, id = id || '-' || ${days}::text,
    completion_id = completion_id || ${days}::text, request_id = request_id || ${days}::text`);
  await db.execute(sql`insert into calls select * from again`);
  await db.execute(sql`drop table again`);
  // Minutes are kept for two days.
  const least_ms = days > 2 ? 3_600_000 : 0;
  for (const table of ['rollups', 'rollup_changes']) {
    const name = sql.raw(table);
    await db.execute(sql`create temp table again as select * from ${name}
      where at_ms >= ${END_MS - DAY_MS} and span_ms >= ${least_ms}`);
    await db.execute(sql`update again set at_ms = at_ms - ${back_ms}`);
    await db.execute(sql`insert into ${name} select * from again`);
    await db.execute(sql`drop table again`);
  }
  await db.execute(sql`insert into unit_facts
    select day_ms - ${back_ms}, agent, unit, half, calls, seen
    from unit_facts where day_ms = ${END_MS - DAY_MS}`);
}

async function measure(kind: Kind): Promise<void> {
  const place = await createPlace(kind);
  const program = fileURLToPath(import.meta.url);
  const began = performance.now();
  const args = [program, 'fill', place.dir, place.database_url ?? '', '--calls', String(CALLS)];
  const filled = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (filled.status !== 0) throw new Error('the store could not be filled');
  const fill_s = (performance.now() - began) / 1000;
  const store = await openIn(place);
  const [stored] = await rowsOf<{ calls: number; bytes: number }>(
    store.db,
    sql`select count(*)::int as calls, pg_total_relation_size('calls')::float8 as bytes from calls`,
  );
  const opened_mb = process.memoryUsage.rss() / 2 ** 20;
  const observer = createObserver(store);
  const records = syntheticRecords({ seed: 4, from_ms: END_MS, every_ms: EVERY_MS, units: 30_000 });
  const took: number[] = [];
  let cells = 0;
  let rss_mb = 0;
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const now_ms = END_MS + tick * MINUTE_MS;
    const minute = Array.from({ length: 50 }, () => records.next().value as JournalRecord);
    await apply(store, minute);
    const start = performance.now();
    const window = { from_ms: now_ms - DAY_MS, to_ms: now_ms };
    const seen = await observer.observe({ window, event_limit: 100 });
    took.push(performance.now() - start);
    cells = seen.segments.length;
    rss_mb = Math.max(rss_mb, process.memoryUsage.rss() / 2 ** 20);
  }
  const [first = 0, ...ticks] = took;
  ticks.sort((a, b) => a - b);
  const at = (q: number) => Math.round(ticks[Math.ceil(q * ticks.length) - 1] as number);
  console.log(kind, {
    calls: stored?.calls,
    cells,
    fill_s: Math.round(fill_s),
    first_ms: Math.round(first),
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    max_ms: at(1),
    opened_mb: Math.round(opened_mb),
    rss_mb: Math.round(rss_mb),
    heap_mb: Math.round(process.memoryUsage().heapTotal / 2 ** 20),
    buffers_mb: Math.round(process.memoryUsage().arrayBuffers / 2 ** 20),
    bytes_a_call: Math.round((stored?.bytes ?? 0) / (stored?.calls ?? 1)),
  });
  await store.close();
  place.remove();
}
