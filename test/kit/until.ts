import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';

export interface UntilOptions {
  readonly deadline_ms?: number;
  readonly every_ms?: number;
  /** What is waited for, as the end of "waited in vain for …". */
  readonly what: string;
}

/** How late a timer may be where nothing is wrong. */
const TIMER_MS = 2;

/**
 * The only way in which a test waits for another process: asks until the condition is truthy and
 * returns what it was. A condition that throws is not met yet; the last thing it threw is the cause
 * of the failure, because "connection refused" says more than "waited in vain".
 *
 * Time in which this process was not let run is no waiting: on a machine that is busy elsewhere who
 * is waited for did not run either. So a pause counts for twice its length at most, and the
 * condition is asked once more when the deadline is over.
 */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { deadline_ms = 10_000, every_ms = 10, what }: UntilOptions,
): Promise<Exclude<Value, null | undefined | false | '' | 0>> {
  let waited_ms = 0;
  let thrown: unknown;
  for (;;) {
    const asked_ms = performance.now();
    try {
      const told = condition();
      const value = told instanceof Promise ? await told : told;
      if (value) return value as Exclude<Value, null | undefined | false | '' | 0>;
      thrown = undefined;
    } catch (error) {
      thrown = error;
    }
    if (waited_ms >= deadline_ms) break;
    const paused_ms = performance.now();
    await pause(every_ms);
    const longest_ms = 2 * every_ms + TIMER_MS;
    waited_ms += paused_ms - asked_ms + Math.min(performance.now() - paused_ms, longest_ms);
  }
  const why = thrown === undefined ? '' : `: ${messageOf(thrown)}`;
  throw new Error(`waited ${deadline_ms} ms in vain for ${what}${why}`, { cause: thrown });
}
