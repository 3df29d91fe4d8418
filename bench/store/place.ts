import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { TailBatch } from '../../src/core/journal.ts';
import { silentLog } from '../../src/core/log.ts';
import { heapGrowingFlag, WORKER_FLAGS, WORKER_VARIABLES } from '../../src/core/worker-start.ts';
import { type ApplyDeps, applyBatch } from '../../src/store/apply.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { startPostgres } from '../../test/kit/postgres.ts';

export type Kind = 'pglite' | 'postgres';

export interface Place {
  readonly kind: Kind;
  /** A folder of its own, gone at `remove`. */
  readonly dir: string;
  readonly database_url: string | null;
  remove(): Promise<void>;
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
    async remove() {
      await server?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Where `npm start` keeps compiled code. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/liquid-hive', import.meta.url));

/** Runs a program to its end in a process of its own, started as `npm start` starts the worker. */
export function runAsWorker(program: string, args: readonly string[]): void {
  const done = spawnSync(process.execPath, [...WORKER_FLAGS, program, ...args], {
    env: { NODE_COMPILE_CACHE: COMPILED, ...WORKER_VARIABLES, ...process.env },
    stdio: 'inherit',
  });
  if (done.status !== 0) throw new Error(`${args.join(' ')} failed`);
}

/** What the worker does first of all: a heap that grows little. */
export function startAsWorker(): void {
  setFlagsFromString(heapGrowingFlag(0));
}

/** Applies a batch as the worker does: of a large one the heap may grow more. */
export function applyAsWorker(store: Store, batch: TailBatch, deps: ApplyDeps): Promise<void> {
  setFlagsFromString(heapGrowingFlag(batch.records.length));
  return applyBatch(store, batch, deps);
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
