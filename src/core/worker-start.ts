/**
 * How the worker's process is started and kept: what of memory it keeps that it no longer needs,
 * how its heap grows, and how far it stands back once it is ready.
 */

/**
 * Steps of nice(2). Storing a call takes as much CPU as serving it, can wait, and what is behind is
 * caught up in large batches. So where processors are short, calls come first: beside two busy
 * processes on two cores the worker has a third of a core, not two thirds. More would be unsafe:
 * permits, the admin API and what a canary is judged by are also the worker's.
 */
export const WORKER_NICENESS = 5;

/** Else V8 keeps 48 MB for what is young, and a look at the rollups fills them. */
export const WORKER_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

/**
 * For glibc; others ignore it. V8 compiles the database's hot code in blocks of 8 to 32 KB, 60 MB
 * at a time, and glibc keeps most of what is given back for ever: among blocks that live on, in a
 * heap for each thread. Larger blocks as mappings of their own go back to the system at once.
 * Setting the threshold also ends that glibc raises it by itself, up to 32 MB.
 */
export const WORKER_VARIABLES: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '16384',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** Left to itself V8 grows a heap fourfold before it collects, and the store is in that process. */
const GROWING_PERCENT = 20;
/**
 * While a backlog is applied: a batch's records outlive the young, so that at 20 % everything is
 * marked once a batch, which takes a third of all CPU. Five times as rarely it costs 20 MB.
 */
const GROWING_PERCENT_BACKLOG = 100;
/** Records in a batch; between two polls, 4,000 calls a second are as many. */
const BACKLOG_RECORDS = 1000;

/** V8's flag while a batch of so many records is applied; obeyed from the next collection on. */
export function heapGrowingFlag(records: number): string {
  const percent = records < BACKLOG_RECORDS ? GROWING_PERCENT : GROWING_PERCENT_BACKLOG;
  return `--heap-growing-percent=${percent}`;
}
