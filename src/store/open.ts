import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { loadPostgres } from './drizzle.ts';
import { migratePostgres } from './migrate.ts';
import { openPglite } from './pglite.ts';
import { type Db, throwPlain } from './rows.ts';

export type { Db } from './rows.ts';

/**
 * The worker's database. One process owns it; on PGlite the lock beside it is the worker's to take.
 */
export interface Store {
  readonly kind: 'pglite' | 'postgres';
  readonly db: Db;
  transaction<T>(run: (tx: Db) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface OpenStore {
  readonly data_dir: string;
  /** `postgres://…`, or null for the embedded PGlite in `data_dir/store`. */
  readonly database_url: string | null;
  readonly log: Log;
}

/** Connections of one worker: the tail, the oracle and the admin API, with one to spare. */
const POOL_MAX = 4;

/** Opens the store and brings its tables up to date. Throws `not_ready` where it cannot. */
export async function openStore({ data_dir, database_url, log }: OpenStore): Promise<Store> {
  if (database_url !== null) return openPostgres(database_url);
  return openEmbedded(data_dir, log);
}

async function openPostgres(database_url: string): Promise<Store> {
  try {
    await migratePostgres(database_url);
  } catch (thrown) {
    throw new GatewayError('not_ready', `DATABASE_URL: ${messageOf(thrown)}`, {}, thrown);
  }
  const { postgres, drizzle } = loadPostgres();
  const client = postgres(database_url, {
    max: POOL_MAX,
    onnotice: () => {},
    connect_timeout: 10,
  });
  const db: Db = drizzle(client);
  return {
    kind: 'postgres',
    db,
    transaction: (run) => db.transaction(run).catch(throwPlain),
    close: () => client.end({ timeout: 5 }),
  };
}

/**
 * The embedded store. PGlite never calls fsync, so a power cut may leave a directory that does not
 * open: it is set aside, never deleted, and a new one is made. The new one knows no cursors, so the
 * tail reads every kept journal segment again and so rebuilds it.
 */
async function openEmbedded(data_dir: string, log: Log): Promise<Store> {
  const dir = join(data_dir, 'store');
  await mkdir(data_dir, { recursive: true });
  if (!existsSync(join(dir, 'PG_VERSION'))) {
    if (existsSync(dir)) await setAside(dir, 'it holds no database', log);
    await makeEmbedded(data_dir, dir);
    return embedded(dir);
  }
  try {
    return await embedded(dir);
  } catch (thrown) {
    if (isOurs(thrown)) throw new GatewayError('not_ready', `the store: ${messageOf(thrown)}`);
    await setAside(dir, messageOf(thrown), log);
    await makeEmbedded(data_dir, dir);
    return embedded(dir);
  }
}

async function embedded(dir: string): Promise<Store> {
  const { client, db } = await openPglite(dir);
  return {
    kind: 'pglite',
    db,
    transaction: (run) => db.transaction(run).catch(throwPlain),
    close: () => client.close(),
  };
}

/**
 * Whether the database works and refused a statement of ours, such as a migration that does not
 * fit: a new one would refuse it as well, so nothing is set aside.
 */
function isOurs(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return /^(?:22|23|42)\w{3}$/.test(code);
}

async function setAside(dir: string, reason: string, log: Log): Promise<void> {
  const kept = `${dir}.broken-${Date.now()}`;
  await rename(dir, kept);
  log.error('the store did not open: set aside, and rebuilt from the journal', { kept, reason });
}

/**
 * Made under another name and then renamed: a start that was killed half-way leaves nothing in use.
 */
async function makeEmbedded(data_dir: string, dir: string): Promise<void> {
  for (const name of await readdir(data_dir)) {
    if (name.startsWith('store.new-')) await rm(join(data_dir, name), { recursive: true });
  }
  const fresh = `${dir}.new-${process.pid}`;
  await initdb(fresh);
  await rename(fresh, dir);
}

function initdb(dir: string): Promise<void> {
  const program = fileURLToPath(new URL('./initdb-process.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(program, [dir], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2000);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) return resolve();
      const why = complaint.trim() || `exit ${code ?? signal}`;
      reject(new GatewayError('not_ready', `the embedded store could not be made: ${why}`));
    });
  });
}
