import type { Clock } from '../../core/clock.ts';
import type { PromptSample } from '../../core/prompt/sample.ts';
import { exchangeIn } from '../../core/signals/exchange.ts';
import { type KeptTurn, turnsToJudge } from '../../store/apply-follow-ups.ts';
import type { Db } from '../../store/rows.ts';

/**
 * Turns that wait to be judged: their ids, in the order in which they came. What was said in them
 * is only in the store, so that who deletes it there has deleted it.
 */
export interface TurnQueue {
  /** Takes a sample that goes on from an answer; false where the oldest had to go for it. */
  add(sample: PromptSample): boolean;
  /** The turns among those that have waited longest; what is none by now waits no more. */
  next(): Promise<readonly KeptTurn[]>;
  leave(calls: readonly string[]): void;
  /** Lets go of those that have waited too long; how many they were. */
  expire(): number;
  clear(): void;
  size(): number;
}

const WAITING_MAX = 500;
const AT_ONCE = 50;
/** By then its call and its sample are in the store, or it is no turn, or never will be. */
const STORED_BY_MS = 60_000;
/** Policy time. After half an hour the worst of the samples are kept: no fair part of all. */
const WAIT_MAX_MS = 20 * 60_000;

interface Waiting {
  readonly call: string;
  readonly since_ms: number;
  readonly since_policy_ms: number;
}

export function createTurnQueue(
  db: Db,
  clock: Pick<Clock, 'monotonic_ms' | 'policy_ms'>,
): TurnQueue {
  let waiting: readonly Waiting[] = [];
  const leave = (calls: readonly string[]): void => {
    const gone = new Set(calls);
    waiting = waiting.filter(({ call }) => !gone.has(call));
  };
  return {
    add({ call, turns }) {
      if (exchangeIn(turns) === null) return true;
      const hasRoom = waiting.length < WAITING_MAX;
      const [since_ms, since_policy_ms] = [clock.monotonic_ms(), clock.policy_ms()];
      waiting = [...waiting.slice(hasRoom ? 0 : 1), { call, since_ms, since_policy_ms }];
      return hasRoom;
    },
    async next() {
      const oldest = waiting.slice(0, AT_ONCE);
      const asked = oldest.map(({ call }) => call);
      const found = await turnsToJudge(db, asked);
      const turns = new Set(found.map(({ call }) => call));
      const late_ms = clock.monotonic_ms() - STORED_BY_MS;
      const none = oldest.filter(({ call, since_ms }) => !turns.has(call) && since_ms < late_ms);
      leave(none.map(({ call }) => call));
      return found;
    },
    expire() {
      const before = waiting.length;
      const from_ms = clock.policy_ms() - WAIT_MAX_MS;
      waiting = waiting.filter(({ since_policy_ms }) => since_policy_ms >= from_ms);
      return before - waiting.length;
    },
    leave,
    clear() {
      waiting = [];
    },
    size: () => waiting.length,
  };
}
