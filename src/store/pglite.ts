import type { PGlite } from '@electric-sql/pglite';
import { loadPglite } from './drizzle.ts';
import { MIGRATIONS_DIR } from './migrate.ts';
import { type Db, throwPlain } from './rows.ts';

/** Small buffers: the default ones cost 115 MB of memory that a single reader does not need. */
const SMALL = [
  ['shared_buffers', '16MB'],
  ['work_mem', '4MB'],
  ['maintenance_work_mem', '16MB'],
  ['wal_buffers', '1MB'],
  ['max_wal_size', '64MB'],
  ['min_wal_size', '32MB'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);

export interface OpenPglite {
  readonly client: PGlite;
  readonly db: Db;
}

/** Opens a directory, or `memory://` with a dump, and brings its tables up to date. */
export async function openPglite(dir: string, dump?: Blob): Promise<OpenPglite> {
  const { PGlite, drizzle, migrate } = loadPglite();
  const client = await PGlite.create(dir, {
    startParams: [...PGlite.defaultStartParams, ...SMALL],
    ...(dump ? { loadDataDir: dump } : {}),
  });
  try {
    const db = drizzle(client);
    await migrate(db, { migrationsFolder: MIGRATIONS_DIR });
    return { client, db };
  } catch (thrown) {
    await client.close().catch(() => undefined);
    return throwPlain(thrown);
  }
}
