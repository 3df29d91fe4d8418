import type { LoadedPolicy } from '../config/snapshot.ts';
import type { MutationRecord } from '../core/ledger.ts';
import { inForceOf } from '../oracle/records.ts';

/** The policy that rows make, with its version. */
export type Folded = (rows: readonly MutationRecord[]) => ReturnType<typeof inForceOf>;

/** Folded again only once a row has come or changed its state: a tick asks half a dozen times. */
export function createFolded(loaded: LoadedPolicy): Folded {
  let [key, latest]: [string | null, ReturnType<Folded> | null] = [null, null];
  return (rows) => {
    const now = rows.map(({ id, state }) => `${id} ${state}`).join();
    if (latest === null || now !== key) [key, latest] = [now, inForceOf(loaded, rows)];
    return latest;
  };
}
