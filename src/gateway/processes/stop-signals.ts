import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** As much of a process as is needed to end it. */
export interface Ending {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

export interface StopSignals {
  readonly signals: readonly StopSignal[];
  /** Ends everything in order; the process exits when it has. */
  stop(): Promise<void>;
  /** What may not be left behind even by an end at once. */
  release(): void;
  readonly log: Log;
  readonly monotonic_ms: () => number;
}

/** npm passes on the Ctrl-C that the terminal sent to its whole group: that is one, not two. */
const SAME_KEY_MS = 500;

/**
 * SIGTERM and Ctrl-C end the process in order, and the second of them at once. Returns how else it
 * may be asked to.
 */
export function stopOnSignals(ending: Ending, how: StopSignals): () => void {
  let asked_ms: number | null = null;

  const leave = (): void => {
    if (asked_ms !== null) {
      how.log.warn('ended at once: asked a second time');
      how.release();
      ending.exit(1);
      return;
    }
    asked_ms = how.monotonic_ms();
    how.stop().then(
      () => ending.exit(0),
      (error: unknown) => {
        how.log.error('not stopped in order', { error: messageOf(error) });
        ending.exit(1);
      },
    );
  };
  const leaveByKey = (): void => {
    if (asked_ms === null || how.monotonic_ms() - asked_ms >= SAME_KEY_MS) leave();
  };
  for (const signal of how.signals) ending.on(signal, signal === 'SIGINT' ? leaveByKey : leave);
  return leave;
}
