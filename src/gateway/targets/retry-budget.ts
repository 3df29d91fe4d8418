/**
 * Bounds the further attempts of all calls together: in any window there are at most `share` times
 * as many as calls. Retries of many clients at once are what turns an upstream's bad minute into an
 * outage, and no limit of a single call prevents that.
 */
export interface RetryBudget {
  /** A call of a client has come. */
  earn(): void;
  /** Whether one further attempt may be made; it is counted if so. */
  spend(share: number): boolean;
}

const WINDOW_MS = 10_000;
const SLOT_MS = 1000;
const SLOTS = WINDOW_MS / SLOT_MS;
/** Further attempts in a window that a quiet gateway may make in any case. */
export const FLOOR = 10;

interface Slot {
  number: number;
  calls: number;
  further: number;
}

export function createRetryBudget(monotonic_ms: () => number): RetryBudget {
  const slots: Slot[] = Array.from({ length: SLOTS }, () => ({ number: -1, calls: 0, further: 0 }));

  const current = (): Slot => {
    const number = Math.floor(monotonic_ms() / SLOT_MS);
    const slot = slots[number % SLOTS] as Slot;
    if (slot.number !== number) Object.assign(slot, { number, calls: 0, further: 0 });
    return slot;
  };

  return {
    earn() {
      current().calls += 1;
    },
    spend(share) {
      const slot = current();
      let calls = 0;
      let further = 0;
      for (const one of slots) {
        if (one.number <= slot.number - SLOTS) continue;
        calls += one.calls;
        further += one.further;
      }
      const most = share > 0 ? Math.max(FLOOR, Math.floor(share * calls)) : 0;
      if (further >= most) return false;
      slot.further += 1;
      return true;
    },
  };
}
