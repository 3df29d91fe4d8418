import type { ChildProcess, Serializable } from 'node:child_process';
import { constants, getPriority, setPriority } from 'node:os';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { ChildReport } from '../../core/state.ts';
import { type After, afterUnref } from '../clock/after.ts';

export interface ChildSpec {
  /** `worker` or `engine`: a label of metrics and logs. */
  readonly name: string;
  /** Starts the process with an IPC channel. May throw: that counts as an exit. */
  fork(): ChildProcess;
  onMessage(message: unknown): void;
  /** A new process runs; what the one before knew is to be told again. */
  onStart?(child: ChildProcess): void;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly after?: After;
  readonly backoff_ms?: readonly [number, number];
  /** How long a child must have lived for its exit to be the first of a series. */
  readonly healthy_ms?: number;
  /** How the child is asked to end, SIGTERM by default. */
  readonly farewell?: (child: ChildProcess) => void;
  /** How long `stop` then waits before SIGKILL. */
  readonly stop_ms?: number;
}

/**
 * A child that is kept alive. It ends itself when its IPC channel closes, so it needs no parent.
 */
export interface Supervised {
  /** False where no child is there to hear it; state is sent again by `onStart`. */
  send(message: Serializable): boolean;
  report(): ChildReport;
  /** From now on others come first where processors are short; in steps of nice(2). */
  standBack(steps: number): void;
  /** Resolves when the child has ended; nothing is started afterwards. */
  stop(): Promise<void>;
}

export function supervise(spec: ChildSpec): Supervised {
  const { log, metrics, clock, name, after = afterUnref } = spec;
  const { backoff_ms: [least_ms, most_ms] = [250, 10_000], healthy_ms = 30_000 } = spec;
  let child: ChildProcess | null = null;
  let state: ChildReport['state'] = 'starting';
  let restarts = 0;
  let wait_ms = least_ms;
  let cancel = (): void => {};

  const ended = (started_ms: number, how: { readonly [field: string]: string | number | null }) => {
    child = null;
    if (state === 'stopped') return;
    if (clock.monotonic_ms() - started_ms >= healthy_ms) wait_ms = least_ms;
    log.warn('child ended; it is started again', { child: name, again_ms: wait_ms, ...how });
    state = 'restarting';
    cancel = after(restart, wait_ms);
    wait_ms = Math.min(most_ms, wait_ms * 2);
  };

  /** What a child says must never take the gateway down with it. */
  const hear = (message: unknown): void => {
    try {
      spec.onMessage(message);
    } catch (error) {
      log.error('message not understood', { child: name, error: messageOf(error) });
    }
  };

  const start = (): void => {
    const started_ms = clock.monotonic_ms();
    try {
      const mine = spec.fork();
      child = mine;
      whenEnded(mine, (how) => ended(started_ms, how));
      mine.on('spawn', () => {
        if (state !== 'stopped') state = 'running';
      });
      mine.on('message', hear);
      spec.onStart?.(mine);
    } catch (error) {
      ended(started_ms, { error: messageOf(error) });
    }
  };

  const restart = (): void => {
    restarts += 1;
    metrics.add('hive_child_restarts_total', [name]);
    start();
  };

  start();
  return {
    send(message) {
      if (!child?.connected) return false;
      // Without a callback a channel that closes meanwhile would throw in nobody's face.
      child.send(message, (error) => {
        if (error) log.warn('message not sent', { child: name, error: error.message });
      });
      return true;
    },
    report: () => ({ state, pid: child?.pid ?? null, restarts }),
    standBack: (steps) => standBack(child?.pid, steps, spec),
    async stop() {
      state = 'stopped';
      cancel();
      if (child) await end(child, spec);
    },
  };
}

/** Its main thread, and what that begins later. Where the system refuses, it runs as before. */
function standBack(pid: number | undefined, steps: number, { name, log }: ChildSpec): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(constants.priority.PRIORITY_LOW, getPriority() + steps));
  } catch (error) {
    log.info('child does not stand back', { child: name, error: messageOf(error) });
  }
}

/** Once: a process that cannot be spawned has an error and no exit, others have an exit. */
function whenEnded(
  child: ChildProcess,
  act: (how: { readonly [field: string]: string | number | null }) => void,
): void {
  let open = true;
  const once = (how: { readonly [field: string]: string | number | null }): void => {
    if (open) act(how);
    open = false;
  };
  child.once('exit', (code, signal) => once({ code, signal, pid: child.pid ?? null }));
  child.on('error', (error) => {
    if (child.pid === undefined) once({ error: error.message });
  });
}

async function end(child: ChildProcess, spec: ChildSpec): Promise<void> {
  const { after = afterUnref, stop_ms = 5000, farewell } = spec;
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  if (farewell) farewell(child);
  else child.kill('SIGTERM');
  const cancel = after(() => child.kill('SIGKILL'), stop_ms);
  await exited;
  cancel();
}
