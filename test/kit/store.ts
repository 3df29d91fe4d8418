import { createHash } from 'node:crypto';
import { existsSync, openAsBlob, readdirSync, readFileSync, renameSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../src/core/log.ts';
import { sql } from '../../src/store/drizzle.ts';
import { MIGRATIONS_DIR } from '../../src/store/migrate.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { POSTGRES_INSTALL, postgresBin, startPostgres, type TestPostgres } from './postgres.ts';

/**
 * A fresh migrated PGlite in memory. initdb takes seconds and 860 MB, so it runs once: its dump is
 * kept in the temp folder under the migrations' hash, and every later test opens that.
 */
export async function openTestStore(): Promise<Store> {
  const dump = dumpPath();
  const known = existsSync(dump);
  const { client, db } = await openPglite('memory://', known ? await openAsBlob(dump) : undefined);
  if (!known) {
    const blob = await client.dumpDataDir('gzip');
    // Renamed when whole: another test process never reads half a dump.
    const part = `${dump}.${process.pid}`;
    await writeFile(part, Buffer.from(await blob.arrayBuffer()));
    renameSync(part, dump);
  }
  return {
    kind: 'pglite',
    db,
    transaction: (run) => db.transaction(run),
    close: () => client.close(),
  };
}

function dumpPath(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(MIGRATIONS_DIR).sort()) {
    if (file.endsWith('.sql')) hash.update(readFileSync(join(MIGRATIONS_DIR, file)));
  }
  const build = readFileSync(join(MIGRATIONS_DIR, '../package-lock.json'));
  hash.update(String(build.length));
  return join(tmpdir(), `hive-test-store-${hash.digest('hex').slice(0, 16)}.tgz`);
}

/** Where a suite runs: `open` gives a fresh store each time, `stop` ends what `open` started. */
export interface Backend {
  readonly name: string;
  /** Why the suite is skipped, or null. */
  readonly missing: string | null;
  open(): Promise<Store>;
  stop(): Promise<void>;
}

/** For `describe.each(backends())`: PGlite and, where it is installed, Postgres. */
export function backends(): readonly Backend[] {
  let server: Promise<TestPostgres> | null = null;
  let running: TestPostgres | null = null;
  const pglite: Backend = {
    name: 'PGlite',
    missing: null,
    open: openTestStore,
    stop: async () => {},
  };
  const postgres: Backend = {
    name: 'Postgres',
    missing: postgresBin() === null ? POSTGRES_INSTALL : null,
    async open() {
      server ??= startPostgres();
      running = await server;
      return openStore({ data_dir: tmpdir(), database_url: running.fresh(), log: silentLog });
    },
    async stop() {
      await running?.stop();
      running = null;
      server = null;
    },
  };
  return [pglite, postgres];
}

/** Empties every table but the migrations' own: quicker than another store. */
export async function emptyStore(store: Store): Promise<void> {
  const tables = await rowsOf<{ name: string }>(
    store.db,
    sql`select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  const names = tables.map(({ name }) => name).join(', ');
  await store.db.execute(sql.raw(`truncate ${names} restart identity`));
}
