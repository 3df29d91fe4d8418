import { fileURLToPath } from 'node:url';
import { loadPostgres } from './drizzle.ts';

/** The generated migrations: one folder for both backends. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any number: all processes that migrate one database must name the same. */
const MIGRATION_LOCK = 4_853_221;

/**
 * Migrates a Postgres database. Several processes may start at once: an advisory lock on a
 * connection of its own makes them take turns, since concurrent DDL fails on Postgres' own
 * catalogues.
 */
export async function migratePostgres(database_url: string): Promise<void> {
  const { postgres, drizzle, migrate } = loadPostgres();
  const client = postgres(database_url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS_DIR });
    await client`select pg_advisory_unlock(${MIGRATION_LOCK})`;
  } finally {
    await client.end({ timeout: 5 });
  }
}
