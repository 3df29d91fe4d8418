import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { CallEvent } from '../../src/core/event.ts';
import { rowOfCall } from '../../src/store/call-row.ts';
import { loadPglite, loadPostgres, sql } from '../../src/store/drizzle.ts';
import { MIGRATIONS_DIR } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/open.ts';
import { jsonRows, rowsOf } from '../../src/store/rows.ts';
import { callEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

interface Journal {
  readonly entries: readonly { readonly tag: string }[];
}

/** The migrations as they were when this one was the newest. */
function migrationsUntil(tag: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'hive-migrations-'));
  dirs.push(dir);
  cpSync(MIGRATIONS_DIR, dir, { recursive: true });
  const file = join(dir, 'meta/_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as Journal;
  const last = journal.entries.findIndex((entry) => entry.tag === tag);
  const entries = journal.entries.slice(0, last + 1);
  expect(entries.at(-1)?.tag).toBe(tag);
  writeFileSync(file, JSON.stringify({ ...journal, entries }));
  return dir;
}

/** The migrator of its kind, as the product runs it, on a store that is open. */
async function migrate({ kind, db }: Store, migrationsFolder: string): Promise<void> {
  const run = (kind === 'pglite' ? loadPglite() : loadPostgres()).migrate as (
    db: Store['db'],
    config: { readonly migrationsFolder: string },
  ) => Promise<void>;
  await run(db, { migrationsFolder });
}

async function forgetEverything({ db }: Store): Promise<void> {
  for (const schema of ['public', 'drizzle']) {
    await db.execute(sql.raw(`drop schema ${schema} cascade`));
  }
  await db.execute(sql`create schema public`);
}

function exposuresIn({ db }: Store) {
  return rowsOf(
    db,
    sql`select experiment, share, arm, unit, first_ms::float8 as first_ms,
      last_ms::float8 as last_ms
    from exposures order by experiment, share, arm, unit`,
  );
}

const exposed = (id: string, unit: string, second: number, over: Partial<CallEvent> = {}) =>
  callEvent(id, {
    unit,
    at_ms: NOON_MS + 1000 * second,
    experiment: 'exp_1',
    arm: 'canary',
    share: 0.05,
    ...over,
  });

const CALLS = [
  exposed('c1', 'u:1', 3),
  exposed('c2', 'u:1', 1),
  exposed('c3', 'u:1', 7, { outcome: 'error', arm_error: true }),
  exposed('c4', 'u:1', 9, { share: 0.1 }),
  exposed('c5', 'u:2', 4, { arm: 'control' }),
  exposed('c6', 'u:2', 5, { experiment: 'exp_2' }),
  exposed('c7', 'u:3', 6, { share: null }),
  exposed('not1', 'u:4', 6, { origin: 'probe' }),
  exposed('not2', 'u:4', 6, { outcome: 'rejected' }),
  exposed('not3', 'u:4', 6, { experiment: null, arm: null, share: null }),
];

describeStores('migrations', ({ store, apply }) => {
  test('migration 0008 fills exposures with what the stored calls say', {
    timeout: 60_000,
  }, async () => {
    await forgetEverything(store);
    await migrate(store, migrationsUntil('0007_unit_facts_room'));
    await expect(exposuresIn(store)).rejects.toThrow('exposures');
    const rows = jsonRows(CALLS.map(rowOfCall));
    await store.db.execute(sql`
      insert into calls select * from json_populate_recordset(null::calls, ${rows}::json)`);

    await migrate(store, MIGRATIONS_DIR);
    const filled = await exposuresIn(store);
    const at = (second: number) => NOON_MS + 1000 * second;
    expect(filled).toContainEqual({
      experiment: 'exp_1',
      share: 0.05,
      arm: 'canary',
      unit: 'u:1',
      first_ms: at(1),
      last_ms: at(7),
    });
    expect(filled).toHaveLength(5);

    // As if the store had been of the newest version from the beginning.
    await emptyStore(store);
    await apply(...CALLS);
    expect(await exposuresIn(store)).toEqual(filled);
  });
});
