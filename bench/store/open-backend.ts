import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../src/core/log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { startPostgres } from '../../test/kit/postgres.ts';

export interface OpenBackend {
  readonly store: Store;
  /** A folder of its own, gone at `close`. */
  readonly dir: string;
  close(): Promise<void>;
}

/** A new store as the product opens it: `pglite` in a folder, or `postgres` on a private server. */
export async function openBackend(kind: 'pglite' | 'postgres'): Promise<OpenBackend> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-bench-'));
  const server = kind === 'postgres' ? await startPostgres() : null;
  const database_url = server?.fresh() ?? null;
  const store = await openStore({ data_dir: dir, database_url, log: silentLog });
  return {
    store,
    dir,
    async close() {
      await store.close();
      server?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** `pglite` and `postgres`, or the one that the command line names. */
export function backendsAsked(argv: readonly string[]): readonly ('pglite' | 'postgres')[] {
  const all = ['pglite', 'postgres'] as const;
  const asked = all.filter((kind) => argv.includes(kind));
  return asked.length > 0 ? asked : all;
}
