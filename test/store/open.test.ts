import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Log, silentLog } from '../../src/core/log.ts';
import { readMeta, writeMeta } from '../../src/store/ledger.ts';
import { openStore } from '../../src/store/open.ts';
import {
  POSTGRES_INSTALL,
  postgresBin,
  startPostgres,
  type TestPostgres,
} from '../kit/postgres.ts';
import { until } from '../kit/until.ts';

let data_dir: string;
beforeEach(() => {
  data_dir = mkdtempSync(join(tmpdir(), 'hive-open-'));
});
afterEach(() => rmSync(data_dir, { recursive: true, force: true }));

function listeningLog(): { log: Log; errors: string[] } {
  const errors: string[] = [];
  return { log: { ...silentLog, error: (message) => void errors.push(message) }, errors };
}

describe('openStore, embedded', () => {
  test('openStore makes a store, keeps its data, and sets a broken one aside', {
    timeout: 60_000,
  }, async () => {
    const { log, errors } = listeningLog();
    const first = await openStore({ data_dir, database_url: null, log });
    await writeMeta(first.db, 'k', 1);
    await first.close();
    // What a killed initdb leaves behind is cleared by the next one only.
    mkdirSync(join(data_dir, 'store.new-1'));
    const again = await openStore({ data_dir, database_url: null, log });
    expect(await readMeta(again.db, 'k')).toBe(1);
    await again.close();
    expect(errors).toEqual([]);

    writeFileSync(join(data_dir, 'store', 'global', 'pg_control'), 'garbage');
    const fresh = await openStore({ data_dir, database_url: null, log });
    expect(await readMeta(fresh.db, 'k')).toBeUndefined();
    await fresh.close();
    expect(errors).toEqual(['the store did not open: set aside, and rebuilt from the journal']);
    const names = readdirSync(data_dir).map((name) => name.replace(/\d+/, 'N'));
    expect(names.sort()).toEqual(['store', 'store.broken-N']);
  });
});

describe.skipIf(postgresBin() === null)(`openStore on Postgres (else: ${POSTGRES_INSTALL})`, () => {
  let server: TestPostgres | null = null;
  afterAll(() => server?.stop());

  test('openStore migrates once for several that start together, and reconnects', async () => {
    server = await startPostgres();
    const database_url = server.fresh();
    const open = () => openStore({ data_dir, database_url, log: silentLog });
    const stores = await Promise.all([open(), open(), open()]);
    const [first] = stores;
    await writeMeta((first as (typeof stores)[0]).db, 'k', 2);
    await server.restart();
    const value = await until(() => readMeta((stores[1] as (typeof stores)[0]).db, 'k'), {
      what: 'the connection to come back',
    });
    expect(value).toBe(2);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('openStore says which database refuses', async () => {
    const database_url = 'postgres://hive@127.0.0.1:1/none';
    const refused = openStore({ data_dir, database_url, log: silentLog });
    await expect(refused).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringContaining('DATABASE_URL'),
    });
  });
});
