import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { GatewayError } from '../core/errors.ts';
import { readIfPresent } from './durable.ts';

export interface Lock {
  /** Gives the lock back; further calls do nothing. */
  release(): void;
}

export interface LockOptions {
  /** How long to wait for its holder to end, in real milliseconds. */
  readonly wait_ms: number;
  /** What the lock guards, for the refusal: "the data directory ./data". */
  readonly what: string;
}

const POLL_MS = 100;
const ownerSchema = z.object({ pid: z.number().int().positive(), started: z.string() });
type Owner = z.infer<typeof ownerSchema>;

/**
 * Takes a lock file that holds a pid and that process's start time, so that a pid used again by
 * another process is not mistaken for the holder. It is stolen only from a process that is gone.
 */
export async function takeLock(path: string, options: LockOptions): Promise<Lock> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const mine = JSON.stringify({ pid: process.pid, started: startTimeOf(process.pid) ?? '' });
  const deadline = performance.now() + options.wait_ms;
  for (;;) {
    if (createWith(path, mine)) return lockOn(path, mine);
    const text = readIfPresent(path);
    const owner = text === null ? null : parseOwner(text);
    if (text !== null && (owner === null || !isAlive(owner))) {
      setAside(path, text);
    } else if (owner !== null && performance.now() >= deadline) {
      throw new GatewayError(
        'not_ready',
        `${options.what} is in use by process ${owner.pid}: stop it first (lock file ${path})`,
        { param: path, pid: owner.pid },
      );
    } else {
      await sleep(POLL_MS);
    }
  }
}

/** Creates the file with its content in one step, or says that it exists: a link is both. */
function createWith(path: string, text: string): boolean {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, path);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Removes a dead process's lock. Two processes may find it dead at once; a rename succeeds for one
 * of them, and what it got is looked at again, so that a lock taken meanwhile is put back.
 */
function setAside(path: string, expected: string): void {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw thrown;
  }
  if (readIfPresent(aside) !== expected) createWith(path, readFileSync(aside, 'utf8'));
  rmSync(aside, { force: true });
}

function lockOn(path: string, mine: string): Lock {
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      if (readIfPresent(path) === mine) rmSync(path, { force: true });
    },
  };
}

function parseOwner(text: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (thrown) {
    // EPERM: it exists and is another user's.
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const started = startTimeOf(owner.pid);
  return started !== null && (owner.started === '' || started === owner.started);
}

/** When a process started, in words that only equal themselves; null where it is gone. */
function startTimeOf(pid: number): string | null {
  if (process.platform === 'linux') return startTicksOf(pid);
  try {
    const out = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return out.trim() === '' ? null : out.trim();
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat; the command's name before it may hold spaces and brackets. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const gone = fields[0] === 'Z' || fields[0] === 'X';
    return gone ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
