import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import type { Store } from '../../src/store/open.ts';
import { batchOf } from './events.ts';
import { backends, emptyStore } from './store.ts';

export interface GivenStore {
  /** Open while tests run, and empty when each begins. */
  readonly store: Store;
  /** Applies records as one batch of the journal. */
  readonly apply: (...records: readonly JournalRecord[]) => Promise<void>;
}

/** A suite on PGlite and, where its server is installed, on Postgres; else it is skipped aloud. */
export function describeStores(what: string, define: (given: GivenStore) => void): void {
  describe.each(backends())(`${what} on $name`, (backend) => {
    if (backend.missing !== null) {
      test.skip(`skipped: ${backend.missing}`, () => {});
      return;
    }
    let opened: Store | null = null;
    const open = (): Store => {
      if (opened === null) throw new Error('The store is open only while tests run.');
      return opened;
    };
    beforeAll(async () => {
      opened = await backend.open();
    });
    afterAll(async () => {
      await opened?.close();
      await backend.stop();
    });
    beforeEach(() => emptyStore(open()));
    // Suites name it before it is open.
    const store: Store = {
      get kind() {
        return open().kind;
      },
      get db() {
        return open().db;
      },
      transaction: (run) => open().transaction(run),
      close: () => open().close(),
    };
    define({
      store,
      apply: (...records) =>
        applyBatch(store, batchOf(...records), { metrics: createMetrics(), log: silentLog }),
    });
  });
}
