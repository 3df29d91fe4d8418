/**
 * How the worker's process is started, which it cannot change later: what of memory it keeps that
 * it no longer needs.
 */

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
