import type { Decision } from '../../src/core/call.ts';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { sql } from '../../src/store/drizzle.ts';
import { createRoutedReader } from '../../src/store/routed-calls.ts';
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
 * What it costs who learns routes to look at the stored calls, of which the newest 10,000 count: the
 * first look of a process, and one every 15 seconds with 15 seconds of traffic in between.
 *
 *     node bench/store/routes.ts [pglite|postgres] [--calls 20000]
 */
const flag = process.argv.indexOf('--calls');
const CALLS = flag < 0 ? 20_000 : Number(process.argv[flag + 1]);
const EVERY_MS = 20;
const LOOK_EVERY_MS = 15_000;
const LOOKS = 20;
const deps = { metrics: createMetrics(), log: silentLog, days: createUnitDays(halfOf) };

const [, program = '', asked] = process.argv;
if (asked === 'run') await measure(process.argv[3] as Kind);
else {
  for (const kind of kindsAsked(process.argv)) {
    runAsWorker(program, ['run', kind, '--calls', String(CALLS)]);
  }
}

/** Every call was routed, each to the target that it was meant for. */
function routed(record: JournalRecord): JournalRecord {
  if (record.type !== 'call') return record;
  const chosen = record.intended ?? '';
  const options = [chosen, `${record.agent}-other`];
  const probabilities = [0.7, 0.3];
  const name = 'model-router';
  const decision: Decision = { name, options, probabilities, chosen, intended: chosen };
  return { ...record, decisions: [decision] };
}

async function measure(kind: Kind): Promise<void> {
  startAsWorker();
  const place = await createPlace(kind);
  const store = await openIn(place);
  let now_ms = Date.UTC(2026, 0, 5, 12);
  const records = syntheticRecords({
    seed: 5,
    from_ms: now_ms,
    every_ms: EVERY_MS,
    units: 20_000,
  });
  const more = async (calls: number): Promise<void> => {
    for (let left = calls; left > 0; left -= 1000) {
      const size = Math.min(left, 1000);
      const batch = Array.from({ length: size }, (_, offset) => ({
        segment: 'g0-bench-1.log',
        offset,
        record: routed(records.next().value as JournalRecord),
      }));
      now_ms = Math.max(now_ms, ...batch.map(({ record }) => record.at_ms));
      await applyAsWorker(store, { records: batch, dead: [], cursors: [] }, deps);
    }
  };
  await more(CALLS);
  await store.db.execute(sql`analyze`);
  const reader = createRoutedReader(store.db);
  const took: number[] = [];
  let read = 0;
  for (let look = 0; look <= LOOKS; look += 1) {
    const began = performance.now();
    const calls = await reader.read({ agent: 'support', before_ms: now_ms, limit: 10_000 });
    took.push(performance.now() - began);
    read = calls.length;
    await more(LOOK_EVERY_MS / EVERY_MS);
  }
  const [first = 0, ...next] = took;
  const sorted = next.sort((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.ceil(q * sorted.length) - 1] as number).toFixed(1));
  const next_ms = { p50: at(0.5), p95: at(0.95), max: at(1) };
  console.log(kind, { calls: CALLS, read, first_ms: Math.round(first), next_ms });
  await store.close();
  await place.remove();
}
