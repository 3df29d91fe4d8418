// Lets Node keep what it compiled. Half of a start is the stripping of types and compiling, and the
// stripper holds 15 MB for the rest of the process's life. This file and those that import it are
// plain JavaScript, so that the stripper is not even loaded where all else comes from the cache.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** Beside the code: who may write there could write the code itself. */
const DIR = fileURLToPath(new URL('../node_modules/.cache/liquid-hive', import.meta.url));

/**
 * Children are told by the environment. Where the user has said where, or not at all, nothing is
 * changed. A folder that cannot be written, or an older Node, costs the gain and nothing else.
 */
export function cacheCompiled(env) {
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return;
  const { ENABLED } = module.constants?.compileCacheStatus ?? {};
  if (ENABLED === undefined || module.enableCompileCache(DIR).status !== ENABLED) return;
  env.NODE_COMPILE_CACHE = DIR;
}
