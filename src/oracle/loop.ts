import { setTimeout as sleep } from 'node:timers/promises';
import { type ClockOrigin, realDuration } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Pipeline } from '../core/policy.ts';

/** No schedule spins, whatever the scale of policy time. */
const LEAST_MS = 250;
const BACKOFF_MAX_MS = 60_000;

export interface Loop {
  start(): void;
  /** Ends the sleep and awaits the running cycle. */
  stop(): Promise<void>;
}

/**
 * One cycle after another on the policy's schedule, in policy time. A cycle that fails backs off:
 * the wait doubles up to a minute of real time, so that a fault is not a hot loop.
 */
export function createLoop(deps: {
  readonly origin: ClockOrigin;
  readonly log: Log;
  schedule(): Pipeline['schedule'];
  random(): number;
  /** False where the cycle failed. Does nothing where the oracle is switched off. */
  run(): Promise<boolean>;
}): Loop {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;

  const pause = async (wait_ms: number): Promise<void> => {
    try {
      await sleep(wait_ms, undefined, { signal: stopping.signal, ref: false });
    } catch {
      // Aborted: the loop's condition ends it.
    }
  };

  const loop = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      await pause(waitFor(deps.origin, deps.schedule(), deps.random(), failures));
      if (stopping.signal.aborted) return;
      try {
        failures = (await deps.run()) ? 0 : failures + 1;
      } catch (thrown) {
        failures += 1;
        deps.log.error('the oracle’s loop failed', { error: messageOf(thrown) });
      }
    }
  };

  return {
    start() {
      running ??= loop();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Real milliseconds until the next cycle. */
export function waitFor(
  origin: ClockOrigin,
  { every_ms, jitter }: Pipeline['schedule'],
  random: number,
  failures: number,
): number {
  const jittered = every_ms * (1 + jitter * (2 * random - 1));
  const regular = realDuration(origin, jittered, LEAST_MS);
  if (failures === 0) return regular;
  const backoff = Math.min(BACKOFF_MAX_MS, LEAST_MS * 2 ** Math.min(failures, 20));
  return Math.max(regular, backoff);
}
