import type { Json, JsonObject } from '../../core/canonical.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { readMeta, writeMeta } from '../../store/ledger.ts';
import type { Db } from '../../store/rows.ts';

/** Durable, so that a worker that is started again and again does not ask again and again. */
export interface BreakerState {
  readonly failures: number;
  readonly opened: number;
  /** Wall milliseconds; 0 where it is closed. */
  readonly until_ms: number;
  readonly reason: string | null;
}

/** Keeps models from being asked for a while, after so many failures in a row. */
export interface ModelBreaker {
  state(): Promise<BreakerState>;
  failed(reason: string, failures_max: number): Promise<void>;
  /** An answer of the right form came. */
  succeeded(before: BreakerState): Promise<void>;
}

const CLOSED: BreakerState = { failures: 0, opened: 0, until_ms: 0, reason: null };
/** It doubles each time that it opens again without a success between. */
const OPEN_MS = { first: 3_600_000, most: 24 * 3_600_000 };

export function createModelBreaker(name: string, db: Db, clock: Clock, log: Log): ModelBreaker {
  const key = `${name}.breaker`;
  const write = (state: BreakerState): Promise<void> => {
    return writeMeta(db, key, state as unknown as JsonObject as Json);
  };
  const state = async (): Promise<BreakerState> => {
    return ((await readMeta(db, key)) as BreakerState | undefined) ?? CLOSED;
  };
  return {
    state,
    async failed(reason, failures_max) {
      const before = await state();
      const failures = before.failures + 1;
      const opens = failures >= failures_max;
      const opened = before.opened + (opens ? 1 : 0);
      const open_ms = Math.min(OPEN_MS.most, OPEN_MS.first * 2 ** (opened - 1));
      const until_ms = opens ? clock.wall_ms() + open_ms : before.until_ms;
      await write({ failures, opened, until_ms, reason });
      if (opens) log.warn('no model is asked for a while', { for: name, reason, open_ms });
    },
    async succeeded(before) {
      if (before.failures > 0) await write(CLOSED);
    },
  };
}
