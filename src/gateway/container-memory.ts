import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

export interface Container {
  readonly limit_bytes: number;
  /** Gateway processes that share it, this one included. */
  readonly gateways: number;
  /** Where the system tells of this process, and of its groups. */
  readonly proc?: string;
  readonly groups?: string;
}

/** Bytes that the control group of this process allows; null where only the machine limits it. */
export function containerLimit(): number | null {
  const limit_bytes = process.constrainedMemory();
  return limit_bytes > 0 && limit_bytes < totalmem() ? limit_bytes : null;
}

/** No share is high below it, so that nobody has to look further. */
const LOOK_FROM = 0.8;

/**
 * The share that this process takes of what its container leaves to it: the limit without what
 * others in it take, the worker and the engine. Only memory that cannot be given back counts:
 * cached files can. Others are taken to use half of the limit at most (beside N gateways all but a
 * 2N-th): to refuse calls because of somebody else's leak would help nobody. Linux only, version 1
 * or 2 of the control groups; 0 where the system tells nothing.
 */
export function containerShare(container: Container): () => number {
  const { limit_bytes, gateways, proc = '/proc/self', groups = '/sys/fs/cgroup' } = container;
  const least_bytes = limit_bytes / (2 * gateways);
  const stat = statFile(proc, groups);
  return () => {
    const own_bytes = numberIn(join(proc, 'status'), /^RssAnon:\s+(\d+) kB$/m) * 1024;
    if (own_bytes < LOOK_FROM * least_bytes || stat === null) return own_bytes / limit_bytes;
    const others_bytes = Math.max(0, numberIn(stat, /^(?:anon|total_rss) (\d+)$/m) - own_bytes);
    return own_bytes / Math.max(least_bytes, limit_bytes - others_bytes);
  };
}

/** What tells of the group's memory; in a container its own group is often shown as the root. */
function statFile(proc: string, groups: string): string | null {
  const told = textOf(join(proc, 'cgroup'));
  const first = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(told)?.[1];
  const second = /^0::(.*)$/m.exec(told)?.[1];
  const files = [
    ...(first === undefined ? [] : [join('memory', first), 'memory']),
    ...(second === undefined ? [] : [second, '']),
  ].map((group) => join(groups, group, 'memory.stat'));
  return files.find((file) => existsSync(file)) ?? null;
}

function numberIn(file: string, pattern: RegExp): number {
  return Number(pattern.exec(textOf(file))?.[1] ?? 0);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
