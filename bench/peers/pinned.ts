import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { descendantsOf, listProcesses, signal } from '../../test/kit/processes.ts';
import { until } from '../../test/kit/until.ts';

/** The gateway under test has one core to itself; load, upstream and all others have the other. */
export const GATEWAY_CORE = '0';
export const LOAD_CORE = '1';

export interface Command {
  readonly name: string;
  readonly core: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that this bench started, on one core; it ends with the bench. */
export interface Pinned {
  readonly pid: number;
  readonly started_ms: number;
  said(): string;
  end(): Promise<void>;
}

const END_MS = 15_000;

export function startPinned(command: Command): Pinned {
  const { name, core, program, args, cwd, env } = command;
  const started_ms = performance.now();
  // taskset becomes the program: the pid is the program's own.
  const child = spawn('taskset', ['-c', core, program, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} cannot be started: is taskset there?`);
  let said = '';
  const keep = (part: Buffer): void => {
    said = `${said}${part.toString('utf8')}`.slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killOnExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  child.once('exit', () => process.off('exit', killOnExit));
  return {
    pid,
    started_ms,
    said: () => said,
    end: () => endChild(name, child),
  };
}

async function endChild(name: string, child: ChildProcess): Promise<void> {
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (gone()) return;
  const below = descendantsOf(child.pid as number);
  child.kill('SIGTERM');
  const wait = { what: `the end of ${name}`, every_ms: 20 };
  try {
    await until(gone, { ...wait, deadline_ms: END_MS });
  } catch {
    child.kill('SIGKILL');
    for (const { pid } of below) signal(pid, 'SIGKILL');
    await until(gone, { ...wait, deadline_ms: END_MS });
  }
}

/** Waits until a URL answers anything, and says how long after its start that was. */
export async function untilAnswers(
  pinned: Pinned,
  url: string,
  isUp: (status: number) => boolean = () => true,
): Promise<number> {
  for (let tries = 0; tries < 6000; tries += 1) {
    const status = await fetch(url).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      () => null,
    );
    if (status !== null && isUp(status)) return performance.now() - pinned.started_ms;
    await delay(5);
  }
  throw new Error(`${url} does not answer:\n${pinned.said()}`);
}

/**
 * Processes that are a batch job wake up as ever, but do not interrupt who is running: they have
 * their turn when it ends (SCHED_BATCH, sched(7)). What they start later is the same.
 */
export function scheduleAs(policy: 'batch' | 'other', pids: readonly number[]): void {
  for (const pid of pids) {
    spawnSync('chrt', [`--${policy}`, '--all-tasks', '--pid', '0', String(pid)], {
      stdio: 'ignore',
    });
  }
}

/** Puts a process's children on another core: theirs is not the gateway's own work. */
export function moveChildren(pid: number, core: string): readonly number[] {
  const moved = descendantsOf(pid, listProcesses()).map((child) => child.pid);
  for (const child of moved) {
    spawnSync('taskset', ['-acp', core, String(child)], { stdio: 'ignore' });
  }
  return moved;
}
