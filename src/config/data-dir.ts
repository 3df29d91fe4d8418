import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatewayError, messageOf } from '../core/errors.ts';

/**
 * Makes the data directory, for its owner alone, and sees that it can be written to. Throws
 * `not_ready` with one line that names it and says what to do.
 */
export function makeDataDir(path: string): void {
  try {
    makeWithParents(path);
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    const message = `the data directory ${path} cannot be used (${why}): ${WHAT_TO_DO}`;
    throw new GatewayError('not_ready', message, { param: path }, error);
  }
}

const WHAT_TO_DO = 'make it a folder that this user may write to, or name another with HIVE_DATA';

/** One at a time: Node's own `recursive` never returns where a file system makes no folders. */
function makeWithParents(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeWithParents(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}
