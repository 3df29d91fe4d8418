import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second in /proc, whatever the kernel's own tick. */
const TICK_MS = 10;

/** CPU time that a process has used since its start, all its threads, user and system. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command in parentheses may hold spaces; the fields are counted after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
}

/** Resident memory in KB. */
export function rssKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN);
}

export function rssKbOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + rssKb(pid), 0);
}
