import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, GatewayError } from '../core/errors.ts';
import type { SimReport } from './report.ts';
import { type RunOptions, runWorld } from './run-world.ts';
import type { World } from './scenario.ts';

export interface RunsOptions extends Pick<RunOptions, 'days' | 'detectors'> {
  /** The first; each run has the next one. */
  readonly seed: number;
  readonly runs: number;
  /** Runs at a time, each in a thread of its own; one needs none. */
  readonly jobs: number;
  /** Of all runs, 0..1, and how many are over. */
  readonly onProgress?: (share: number, done: number) => void;
}

/** What a thread is started with. */
export interface ThreadData {
  readonly world: World;
  readonly options: Pick<RunOptions, 'days' | 'detectors'>;
}

/** What a thread says of the run that it was last told to do. */
export type Said =
  | { readonly type: 'progress'; readonly share: number }
  | { readonly type: 'report'; readonly report: SimReport }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

/** A run's events live for as long as a day of its world: most die young where there is room. */
const YOUNG_MB = 64;
const PROGRAM = fileURLToPath(new URL('./world-thread.ts', import.meta.url));

/**
 * Runs of a world with one seed after another, in the order of the seeds. A run knows nothing of
 * the others, so the reports are the same however many are at work. Rejects with the first run's
 * error that is thrown; the others are then given up.
 */
export async function runWorlds(world: World, options: RunsOptions): Promise<readonly SimReport[]> {
  const { seed, runs, onProgress = () => {}, days, detectors } = options;
  const own = {
    ...(days === undefined ? {} : { days }),
    ...(detectors === undefined ? {} : { detectors }),
  };
  const jobs = Math.min(options.jobs, runs);
  if (jobs > 1) return inThreads({ world, options: own }, { ...options, jobs });
  return Array.from({ length: runs }, (_, run) => {
    const tell = (share: number): void => onProgress((run + share) / runs, run);
    return runWorld(world, { ...own, seed: seed + run, onProgress: tell });
  });
}

async function inThreads(data: ThreadData, options: RunsOptions): Promise<readonly SimReport[]> {
  const { seed, runs, jobs, onProgress = () => {} } = options;
  const reports: SimReport[] = [];
  const shares = new Map<Worker, number>();
  let [begun, done] = [0, 0];
  const threads = Array.from({ length: jobs }, () => {
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
    return new Worker(PROGRAM, { workerData: data, resourceLimits });
  });
  const work = threads.map(
    (thread) =>
      new Promise<void>((resolve, reject) => {
        let run = 0;
        const next = (): void => {
          shares.set(thread, 0);
          if (begun === runs) {
            resolve();
            return;
          }
          run = begun;
          begun += 1;
          thread.postMessage(seed + run);
        };
        thread.on('error', reject);
        thread.on('exit', () => reject(new Error('a thread of the simulator ended')));
        thread.on('message', (said: Said) => {
          if (said.type === 'failed') reject(new GatewayError(said.code, said.message));
          else if (said.type === 'progress') shares.set(thread, said.share);
          else {
            reports[run] = said.report;
            done += 1;
            next();
          }
          const parts = [...shares.values()].reduce((sum, share) => sum + share, 0);
          onProgress(Math.min(1, (done + parts) / runs), done);
        });
        next();
      }),
  );
  try {
    await Promise.all(work);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  return reports;
}
