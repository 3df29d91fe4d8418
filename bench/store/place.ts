import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { silentLog } from '../../src/core/log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { startPostgres } from '../../test/kit/postgres.ts';

export type Kind = 'pglite' | 'postgres';

export interface Place {
  readonly kind: Kind;
  /** A folder of its own, gone at `remove`. */
  readonly dir: string;
  readonly database_url: string | null;
  remove(): void;
}

/** Where a new store may be made: a folder, or a database of a private server. */
export async function createPlace(kind: Kind): Promise<Place> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-bench-'));
  const server = kind === 'postgres' ? await startPostgres() : null;
  const database_url = server?.fresh() ?? null;
  return {
    kind,
    dir,
    database_url,
    remove() {
      server?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** As the worker is started, and as it starts: a small new space, and a heap that grows little. */
export const WORKER_FLAG = '--max-semi-space-size=4';
export function setWorkerFlags(): void {
  setFlagsFromString(WORKER_FLAG);
  setFlagsFromString('--heap-growing-percent=20');
}

/** The store of a place, opened as the product opens it. */
export function openIn({ dir, database_url }: Pick<Place, 'dir' | 'database_url'>): Promise<Store> {
  return openStore({ data_dir: dir, database_url, log: silentLog });
}

/** Both kinds, or the one that the command line names. */
export function kindsAsked(argv: readonly string[]): readonly Kind[] {
  const all = ['pglite', 'postgres'] as const;
  const asked = all.filter((kind) => argv.includes(kind));
  return asked.length > 0 ? asked : all;
}
