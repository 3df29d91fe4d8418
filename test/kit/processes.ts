import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { messageOf } from '../../src/core/errors.ts';

/** A process as the system lists it. */
export interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** When it started: with the pid this is who it is, also after an exec changes the command. */
  readonly started: string;
}

/**
 * All processes of the machine: from /proc, else from ps. Those that end meanwhile are left out.
 */
export function listProcesses(): readonly Listed[] {
  if (!existsSync('/proc/self/stat')) return listWithPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readListed(Number(name)))
    .filter((listed) => listed !== null);
}

function readListed(pid: number): Listed | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold spaces and parentheses itself; the rest is after the
    // last.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent] = fields;
    // A zombie has ended: it only waits for its parent to read how.
    if (state === 'Z') return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), command, started: fields[19] ?? '' };
  } catch {
    return null;
  }
}

function listWithPs(): readonly Listed[] {
  const columns = 'pid=,ppid=,stat=,lstart=,command=';
  const lines = execFileSync('ps', ['-A', '-o', columns], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+((?:\S+\s+){5})(.*)$/.exec(line);
    if (!match || match[3]?.startsWith('Z')) return [];
    const [pid, parent] = [Number(match[1]), Number(match[2])];
    return [{ pid, parent, started: match[4] ?? '', command: match[5] ?? '' }];
  });
}

/** Children of a process, their children, and so on. */
export function descendantsOf(pid: number, all = listProcesses()): readonly Listed[] {
  const children = all.filter(({ parent }) => parent === pid);
  return [...children, ...children.flatMap((child) => descendantsOf(child.pid, all))];
}

/** Whether a process still runs and is still the one that was listed. */
export function isAlive(process: Listed): boolean {
  const now = existsSync('/proc/self/stat')
    ? readListed(process.pid)
    : listProcesses().find(({ pid }) => pid === process.pid);
  return now?.started === process.started;
}

/** Signals one process; one that has ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!messageOf(error).includes('ESRCH')) throw error;
  }
}

/**
 * Memory of a process in kB as its proportional set size: shared pages are divided among those who
 * share them, so that the sum over all processes is what the product really takes. Linux only.
 */
export function pssKb(pid: number): number | null {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const match = /^Pss:\s+(\d+) kB$/m.exec(rollup);
    return match ? Number(match[1]) : null;
  } catch {
    return null;
  }
}
