import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';

export interface UntilOptions {
  readonly deadline_ms?: number;
  readonly every_ms?: number;
  /** What is waited for, as the end of "waited in vain for …". */
  readonly what: string;
}

/**
 * The only way in which a test waits for another process: asks until the condition is truthy and
 * returns what it was. A condition that throws is not met yet; the last thing it threw is the cause
 * of the failure, because "connection refused" says more than "waited in vain".
 */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { deadline_ms = 10_000, every_ms = 10, what }: UntilOptions,
): Promise<Exclude<Value, null | undefined | false | '' | 0>> {
  const started_ms = performance.now();
  let thrown: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value as Exclude<Value, null | undefined | false | '' | 0>;
      thrown = undefined;
    } catch (error) {
      thrown = error;
    }
    await pause(every_ms);
  } while (performance.now() - started_ms < deadline_ms);
  const why = thrown === undefined ? '' : `: ${messageOf(thrown)}`;
  throw new Error(`waited ${deadline_ms} ms in vain for ${what}${why}`, { cause: thrown });
}
