import { type Clock, createClock } from '../../src/core/clock.ts';
import type { After } from '../../src/gateway/clock/after.ts';

/** Time that moves only when a test says so, and the timers that hang on it. */
export interface HandClock {
  readonly clock: Clock;
  readonly after: After;
  /** Moves on, running what falls due in its order. */
  readonly advance: (ms: number) => void;
  /** Timers that have neither run nor been called off. */
  readonly waiting: () => number;
}

export function createHandClock(start_ms = 1_000_000): HandClock {
  const timers = new Set<{ readonly due_ms: number; readonly act: () => void }>();
  let now_ms = start_ms;
  const time = { monotonic_ms: () => now_ms, wall_ms: () => now_ms };
  const nextBefore = (end_ms: number) =>
    [...timers]
      .filter((timer) => timer.due_ms <= end_ms)
      .sort((left, right) => left.due_ms - right.due_ms)[0];
  return {
    clock: createClock({ origin_ms: 0, scale: 1 }, time),
    after(act, ms) {
      const timer = { due_ms: now_ms + ms, act };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      const end_ms = now_ms + ms;
      for (let timer = nextBefore(end_ms); timer; timer = nextBefore(end_ms)) {
        timers.delete(timer);
        now_ms = Math.max(now_ms, timer.due_ms);
        timer.act();
      }
      now_ms = end_ms;
    },
    waiting: () => timers.size,
  };
}
