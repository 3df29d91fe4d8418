import type { Clock } from '../../core/clock.ts';

/** Between two hints, real ms. */
const APART_MS = 100;

/**
 * Says that the journal has grown, though not each time: a message to another process costs as much
 * as a fifth of a call, and who reads the journal looks by themselves four times a second.
 */
export function createHints(
  tell: () => void,
  { monotonic_ms }: Pick<Clock, 'monotonic_ms'>,
): () => void {
  let told_ms = Number.NEGATIVE_INFINITY;
  return () => {
    const now_ms = monotonic_ms();
    if (now_ms - told_ms < APART_MS) return;
    told_ms = now_ms;
    tell();
  };
}
