import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { hashFiles, PROMPTS_DIR } from './policy-files.ts';

export interface PolicyWatch {
  close(): void;
}

export interface WatchOptions {
  /** Quiet time before the files are read: an editor writes in several steps. */
  readonly debounce_ms?: number;
  /** The files are also looked at this often, for file systems that report nothing. */
  readonly poll_ms?: number;
}

/**
 * Calls `onChange` when the bytes of the policy files have changed. It watches the directories,
 * since a watch on a file dies with an editor's atomic rename, and opens a watch again that has
 * ended.
 */
export function watchPolicies(
  dir: string,
  onChange: () => void,
  { debounce_ms = 100, poll_ms = 2000 }: WatchOptions = {},
): PolicyWatch {
  const watched = new Map<string, FSWatcher>();
  let known = hashFiles(dir);
  let pending: NodeJS.Timeout | null = null;
  let closed = false;

  const look = (): void => {
    pending = null;
    if (closed) return;
    openAll();
    const now = hashFiles(dir);
    if (now === known) return;
    known = now;
    onChange();
  };
  const soon = (): void => {
    if (closed) return;
    if (pending) clearTimeout(pending);
    pending = setTimeout(look, debounce_ms);
    pending.unref();
  };
  const drop = (path: string, watcher: FSWatcher): void => {
    watcher.close();
    if (watched.get(path) === watcher) watched.delete(path);
  };
  const open = (path: string): void => {
    if (watched.has(path)) return;
    try {
      const watcher = watch(path, { persistent: false });
      watcher.on('change', (kind, name) => {
        // The directory itself was moved or removed: its watch would go on following the old one.
        if (kind === 'rename' && name !== null && path.endsWith(`/${String(name)}`)) {
          drop(path, watcher);
        }
        soon();
      });
      watcher.on('error', () => drop(path, watcher));
      watched.set(path, watcher);
    } catch {
      // Not there yet: the poll opens it when it comes.
    }
  };
  const openAll = (): void => {
    open(dir);
    open(join(dir, PROMPTS_DIR));
  };

  openAll();
  const poll = setInterval(() => {
    openAll();
    if (pending === null && hashFiles(dir) !== known) soon();
  }, poll_ms);
  poll.unref();
  return {
    close() {
      closed = true;
      clearInterval(poll);
      if (pending) clearTimeout(pending);
      for (const watcher of watched.values()) watcher.close();
      watched.clear();
    },
  };
}
