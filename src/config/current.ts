import type { Snapshot } from './snapshot.ts';

/**
 * The snapshot in force. A swap is one assignment; calls that hold a lease on the old one finish on
 * it, and `drained` tells when the last of them has.
 */
export interface Current {
  readonly snapshot: Snapshot;
  /** Takes the snapshot in force for one call; `release` exactly once, further ones do nothing. */
  lease(): Lease;
  /** Puts a new snapshot in force; resolves when no call holds the old one. */
  swap(next: Snapshot): Promise<void>;
}

export interface Lease {
  readonly snapshot: Snapshot;
  release(): void;
}

interface Held {
  readonly snapshot: Snapshot;
  leases: number;
  retired: (() => void) | null;
}

export function createCurrent(first: Snapshot): Current {
  let held: Held = { snapshot: first, leases: 0, retired: null };

  return {
    get snapshot() {
      return held.snapshot;
    },
    lease() {
      const mine = held;
      let open = true;
      mine.leases += 1;
      return {
        snapshot: mine.snapshot,
        release() {
          if (!open) return;
          open = false;
          mine.leases -= 1;
          if (mine.leases === 0) mine.retired?.();
        },
      };
    },
    swap(next) {
      const old = held;
      held = { snapshot: next, leases: 0, retired: null };
      if (old.leases === 0) return Promise.resolve();
      return new Promise((resolve) => {
        old.retired = resolve;
      });
    },
  };
}
