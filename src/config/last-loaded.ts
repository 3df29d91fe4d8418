import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { readIfPresent, writeDurably } from './durable.ts';
import type { LoadedPolicy } from './snapshot.ts';

/**
 * The policy files as they were last served, for a process that is started while those on disk do
 * not load: the product goes on by the policy before, so its parts must come up by it as well.
 * Every start writes it anew, so it is read by the code that wrote it.
 */
export function writeLastLoaded(data_dir: string, loaded: LoadedPolicy, log: Log): void {
  try {
    const origins = Object.fromEntries(loaded.origins);
    writeDurably(pathIn(data_dir), JSON.stringify({ ...loaded, origins }));
  } catch (error) {
    // Without it a process that is started again needs files that load, and no call needs it.
    log.warn('last-loaded.json is not written', { error: messageOf(error) });
  }
}

/** Null where there is none that can be read. */
export function readLastLoaded(data_dir: string): LoadedPolicy | null {
  try {
    const text = readIfPresent(pathIn(data_dir));
    if (text === null) return null;
    const loaded = JSON.parse(text) as LoadedPolicy & {
      readonly origins: Readonly<Record<string, string>>;
    };
    const origins = new Map(Object.entries(loaded.origins));
    return { ...loaded, origins };
  } catch {
    return null;
  }
}

/**
 * What `load` gives, or where the files do not load what was last served. Throws the files' error
 * where nothing was.
 */
export function loadedOrLast(
  load: () => LoadedPolicy,
  last: () => LoadedPolicy | null,
): { readonly loaded: LoadedPolicy; readonly error: string | null } {
  try {
    return { loaded: load(), error: null };
  } catch (error) {
    const loaded = last();
    if (loaded === null) throw error;
    return { loaded, error: messageOf(error) };
  }
}

function pathIn(data_dir: string): string {
  return join(data_dir, 'last-loaded.json');
}
