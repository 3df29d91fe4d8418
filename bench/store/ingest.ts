import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { encodeLine } from '../../src/events/line.ts';
import { createTail } from '../../src/events/tail.ts';
import { createUnitDays } from '../../src/store/unit-days.ts';
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
 * Events a second from a journal on disk into the store and its rollups, as the worker does it:
 * read, checked, parsed and applied in transactions of at most 4,000 records. Two densities: live
 * traffic of 10,000 calls a second, and a backlog of 100 calls a second. `first` is what a process does
 * first, whose code is not optimized yet; the others come after it.
 *
 *     taskset -c 0 node bench/store/ingest.ts [pglite|postgres] [--events 60000] [--first]
 */
const SEGMENTS = 4;
const at = process.argv.indexOf('--events');
const EVENTS = at < 0 ? 60_000 : Number(process.argv[at + 1]);

const [, program = '', asked] = process.argv;
if (asked === 'run') await measureAll(process.argv[3] as Kind);
else for (const kind of kindsAsked(process.argv)) startCold(kind);

function startCold(kind: Kind): void {
  const first = process.argv.includes('--first') ? ['--first'] : [];
  runAsWorker(program, ['run', kind, '--events', String(EVENTS), ...first]);
}

async function measureAll(kind: Kind): Promise<void> {
  startAsWorker();
  const all = [
    ['first, 10,000 calls/s', 0.1],
    ['live, 10,000 calls/s', 0.1],
    ['backlog, 100 calls/s', 10],
  ] as const;
  for (const [name, every_ms] of process.argv.includes('--first') ? all.slice(0, 1) : all) {
    console.log(kind, name, await measure(kind, every_ms));
  }
}

async function measure(kind: Kind, every_ms: number) {
  const place = await createPlace(kind);
  const store = await openIn(place);
  const journal = join(place.dir, 'journal');
  mkdirSync(journal, { recursive: true });
  writeJournal(journal, every_ms);
  const deps = { metrics: createMetrics(), log: silentLog, days: createUnitDays(halfOf) };
  const tail = createTail({
    dir: journal,
    cursors: new Map(),
    apply: (batch) => applyAsWorker(store, batch, deps),
    live: () => false,
    metrics: createMetrics(),
    log: silentLog,
  });
  const began = performance.now();
  const cpu = process.cpuUsage();
  tail.start();
  await tail.drain();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await tail.stop();
  await store.close();
  await place.remove();
  const per_s = Math.round(EVENTS / seconds);
  const cpu_us = Math.round((user + system) / EVENTS);
  return { events: EVENTS, seconds: Number(seconds.toFixed(2)), per_s, cpu_us_per_event: cpu_us };
}

function writeJournal(dir: string, every_ms: number): void {
  const from_ms = Date.UTC(2026, 0, 5, 12);
  const records = syntheticRecords({ seed: 7, from_ms, every_ms, units: 20_000 });
  const each = EVENTS / SEGMENTS;
  for (let segment = 1; segment <= SEGMENTS; segment += 1) {
    const lines = Array.from({ length: each }, () =>
      encodeLine(records.next().value as JournalRecord),
    );
    const writer = 'g0-00000000-0000-7000-8000-000000000000';
    writeFileSync(join(dir, `${writer}-${segment}.log`), Buffer.concat(lines));
  }
}
