import { setImmediate as turn } from 'node:timers/promises';
import { instantiate, type LeafHost } from '../../src/core/definition.ts';
import type { JournalRecord } from '../../src/core/event.ts';
import { createId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Analysis, Window } from '../../src/core/oracle.ts';
import { createHost } from '../../src/sim/host.ts';
import { sql } from '../../src/store/drizzle.ts';
import { createObserver, type Observed } from '../../src/store/observe.ts';
import type { Db, Store } from '../../src/store/open.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { createUnitDays } from '../../src/store/unit-days.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { halfOf } from '../../src/store/write-units.ts';
import {
  applyAsWorker,
  createPlace,
  type Kind,
  kindsAsked,
  openIn,
  runAsWorker,
  startAsWorker,
} from './place.ts';
import { syntheticRecords } from './synthetic.ts';

/**
 * What collect costs with a million calls of 14 days in the store, and analyze after the last ticks:
 * the last day is ingested, and copied to the days before by SQL, in a process of its own. Then a
 * fresh process, as the worker is after a restart, ticks once a minute with the minute's calls
 * applied in between.
 *
 *     node bench/store/tick.ts [pglite|postgres] [--calls 1000000]
 *     node bench/store/tick.ts fill|ticks FOLDER [URL]    # one of the two on a place of your own
 */
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MB = 2 ** 20;
const DAYS = 14;
const flag = process.argv.indexOf('--calls');
const CALLS = flag < 0 ? 1_000_000 : Number(process.argv[flag + 1]);
const CALLS_A_DAY = Math.ceil(CALLS / DAYS);
const TICKS = 40;
/** The last ticks are analyzed as well. */
const ANALYZED = 12;
const deps = { metrics: createMetrics(), log: silentLog, days: createUnitDays(halfOf) };
const END_MS = Date.UTC(2026, 0, 19);
const EVERY_MS = DAY_MS / CALLS_A_DAY;

const [, program = '', asked = '', ...rest] = process.argv;
if (asked === 'run') await runStage(rest);
else if (asked === 'fill' || asked === 'ticks') runAsWorker(program, ['run', asked, ...rest]);
else for (const kind of kindsAsked(process.argv)) await measure(kind);

async function runStage([stage, dir = '', url]: readonly string[]): Promise<void> {
  startAsWorker();
  if (stage === 'fill') await fill(dir, urlOf(url));
  else await ticks(dir, urlOf(url));
}

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
  return applyAsWorker(store, { records: batch, dead: [], cursors: [] }, deps);
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

function urlOf(given: string | undefined): string | null {
  return given === undefined || given === '' || given.startsWith('--') ? null : given;
}

async function measure(kind: Kind): Promise<void> {
  const place = await createPlace(kind);
  for (const stage of ['fill', 'ticks']) {
    const args = [place.dir, place.database_url ?? '', '--calls', String(CALLS)];
    runAsWorker(program, ['run', stage, ...args]);
  }
  await place.remove();
}

async function ticks(data_dir: string, database_url: string | null): Promise<void> {
  const store = await openIn({ dir: data_dir, database_url });
  const [stored] = await rowsOf<{ calls: number; bytes: number; newest_ms: number }>(
    store.db,
    sql`select count(*)::int as calls, pg_total_relation_size('calls')::float8 as bytes,
      max(at_ms)::float8 as newest_ms from calls`,
  );
  const opened_mb = process.memoryUsage.rss() / MB;
  const observer = createObserver(store);
  // Goes on where an earlier run on the same place has stopped.
  const from_ms = Math.max(END_MS, Math.ceil((stored?.newest_ms ?? 0) / MINUTE_MS) * MINUTE_MS);
  const records = syntheticRecords({ seed: from_ms, from_ms, every_ms: EVERY_MS, units: 30_000 });
  const took: number[] = [];
  const cpu: number[] = [];
  const analyzed: number[] = [];
  // As the worker's: what detectors keep of one look is there in the next.
  const host = createHost(() => END_MS);
  let cells = 0;
  let rss_mb = 0;
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const now_ms = from_ms + tick * MINUTE_MS;
    const minute = Array.from({ length: 50 }, () => records.next().value as JournalRecord);
    await apply(store, minute);
    const start = performance.now();
    const used = process.cpuUsage();
    const window = { from_ms: now_ms - DAY_MS, to_ms: now_ms };
    const seen = await observer.observe({ window, event_limit: 100 });
    const { user, system } = process.cpuUsage(used);
    took.push(performance.now() - start);
    cpu.push((user + system) / 1000);
    cells = seen.segments.length;
    rss_mb = Math.max(rss_mb, process.memoryUsage.rss() / MB);
    // A worker waits for its next cycle, and V8 ends in a turn of its own what it began beside it.
    await turn();
    if (tick <= TICKS - ANALYZED) continue;
    const judge = await loadJudge(host);
    const collected = process.cpuUsage();
    judge(seen, window);
    const spent = process.cpuUsage(collected);
    analyzed.push(Math.round((spent.user + spent.system) / 1000));
  }
  const { heapTotal, external } = process.memoryUsage();
  console.log(store.kind, {
    calls: stored?.calls,
    cells,
    first_ms: Math.round(took[0] ?? 0),
    ...inMs('', took),
    ...inMs('cpu_', cpu),
    analyze_cpu_ms: analyzed,
    opened_mb: Math.round(opened_mb),
    rss_mb: Math.round(rss_mb),
    analyzed_rss_mb: Math.round(process.memoryUsage.rss() / MB),
    heap_mb: Math.round(heapTotal / MB),
    external_mb: Math.round(external / MB),
    bytes_a_call: Math.round((stored?.bytes ?? 0) / (stored?.calls ?? 1)),
  });
  await store.close();
}

/**
 * All detectors, as a cycle runs them. Loaded when they are needed: what collect takes of memory is
 * told without them.
 */
async function loadJudge(host: LeafHost): Promise<(seen: Observed, window: Window) => Analysis> {
  const { analyze } = await import('../../src/oracle/analyze.ts');
  const { detectors } = await import('../../src/oracle/detectors/index.ts');
  const { POLICY } = await import('../../test/oracle/kit.ts');
  const named = [...detectors].map(([name, definition]) => ({
    name,
    detect: instantiate(definition, {}, host),
  }));
  const { thresholds } = POLICY.oracle;
  return ({ segments, past, halves, series }, window) => {
    const at = { at_ms: window.to_ms, window, version: 'bench' };
    const seen = { segments, past, halves, series };
    const observation = { ...at, ...seen, loads: [], frozen: [], thresholds };
    return analyze(observation, named, (kind) => createId(kind, window.to_ms));
  };
}

/** All but the first, which reads what the others then know. */
function inMs(name: string, [, ...all]: readonly number[]): Record<string, number> {
  const sorted = all.sort((a, b) => a - b);
  const at = (q: number) => Math.round(sorted[Math.ceil(q * sorted.length) - 1] as number);
  return { [`${name}p50_ms`]: at(0.5), [`${name}p95_ms`]: at(0.95), [`${name}max_ms`]: at(1) };
}
