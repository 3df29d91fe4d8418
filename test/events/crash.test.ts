import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { createTail } from '../../src/events/tail.ts';
import { applyBatch } from '../../src/store/apply.ts';
import { readCursors } from '../../src/store/cursors.ts';
import { sql } from '../../src/store/drizzle.ts';
import type { Store } from '../../src/store/open.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { createUnitDays } from '../../src/store/unit-days.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { halfOf } from '../../src/store/write-units.ts';
import { backends } from '../kit/store.ts';
import { until } from '../kit/until.ts';

let dir: string;
let children: ChildProcess[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-crash-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** A process that journals feedback as fast as it can and tells which was acknowledged. */
function startWriter(boot: string): { child: ChildProcess; acknowledged: Set<string> } {
  const program = join(import.meta.dirname, 'crash-writer.ts');
  const child = fork(program, [dir, boot], { stdio: 'inherit' });
  children.push(child);
  const acknowledged = new Set<string>();
  child.on('message', (id: string) => acknowledged.add(id));
  return { child, acknowledged };
}

function tailOf(store: Store, cursors: Awaited<ReturnType<typeof readCursors>>, live: string[]) {
  const metrics = createMetrics();
  const days = createUnitDays(halfOf);
  const apply = (batch: Parameters<typeof applyBatch>[1]) =>
    applyBatch(store, batch, { metrics, log: silentLog, days });
  const isLive = (writer: string) => live.includes(writer);
  return createTail({ dir, cursors, apply, live: isLive, metrics, log: silentLog });
}

describe.each(backends())('a writer killed with SIGKILL, on $name', (backend) => {
  afterAll(() => backend.stop());

  test.skipIf(backend.missing !== null)(
    `acknowledged is stored, once, after three crashes and when rebuilt ${backend.missing ?? ''}`,
    async () => {
      const store = await backend.open();
      const acknowledged = new Set<string>();
      for (const boot of ['one', 'two', 'three']) {
        const writer = startWriter(boot);
        const tail = tailOf(store, await readCursors(store.db), [`g0-${boot}`]);
        tail.start();
        await until(() => writer.acknowledged.size >= 300, { what: 'acknowledgements' });
        writer.child.kill('SIGKILL');
        await once(writer.child, 'exit');
        // The tail ends in the middle of its work, as its own process would.
        await tail.stop();
        for (const id of writer.acknowledged) acknowledged.add(id);
      }
      const last = tailOf(store, await readCursors(store.db), []);
      last.start();
      await last.drain();
      await last.stop();
      const stored = await rowsOf<{ id: string }>(store.db, sql`select id from feedback`);
      const ids = new Set(stored.map(({ id }) => id));
      expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([]);
      await addParts(store.db);
      const [sums] = await rowsOf<{ ratings: number }>(
        store.db,
        sql`select sum((counts->'rating'->>0)::float8 + (counts->'rating'->>1)::float8) as ratings
          from rollups where span_ms = 86400000 and target = '' and tenant = '' and category = ''`,
      );
      expect(sums?.ratings).toBe(ids.size);
      await store.close();

      const rebuilt = await backend.open();
      const from = tailOf(rebuilt, await readCursors(rebuilt.db), []);
      from.start();
      await from.drain();
      await from.stop();
      const again = await rowsOf<{ id: string }>(rebuilt.db, sql`select id from feedback`);
      expect(new Set(again.map(({ id }) => id))).toEqual(ids);
      await rebuilt.close();
    },
  );
});
