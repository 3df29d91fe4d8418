import type { AbRecord } from '../core/ab/record.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { Clock } from '../core/clock.ts';
import type { JournalRecord, LedgerChange } from '../core/event.ts';
import type { ExperimentRecord, MutationRecord, PlanRecord } from '../core/ledger.ts';
import type { Plan, PlanState } from '../core/oracle.ts';
import type { Contents } from '../core/policy.ts';
import type { AbRun, Experiment, State } from '../core/state.ts';
import {
  type LedgerRow,
  readEpoch,
  readExperiments,
  readMutations,
  readPlans,
  upsertLedger,
} from '../store/ledger.ts';
import type { Db, Store } from '../store/open.ts';
import type { MutationStatus } from './oracle.ts';
import { isLive, type LedgerView, rowOf } from './records.ts';

/** The part of the bus that the ledger needs: durable before it resolves. */
export interface Acknowledging {
  acknowledge(records: readonly JournalRecord[]): Promise<void>;
}

export interface Change {
  readonly mutations?: readonly MutationRecord[];
  readonly experiments?: readonly ExperimentRecord[];
  readonly ab?: readonly AbRecord[];
  readonly plans?: readonly PlanRecord[];
  /** Written in the same transaction, but not journalled: it may be lost with the store. */
  also?(db: Db): Promise<void>;
}

export interface Ledger {
  view(): Promise<LedgerView>;
  plans(filter?: { ids?: readonly string[]; state?: PlanState }): Promise<readonly PlanRecord[]>;
  /** The rows last written or read: what is known where the store does not answer. */
  lastView(): LedgerView | null;
  /**
   * Runs one read-decide-write at a time; `commit` may be called within it only. A commit is
   * journalled and durable first, then written in one transaction, then sent to the gateway.
   */
  exclusive<Result>(work: (commit: Commit) => Promise<Result>): Promise<Result>;
  /**
   * Journals every row again as it stands. Segments are kept for a week only; done daily, a store
   * that has to be rebuilt from them still holds decisions of any age.
   */
  rejournal(): Promise<void>;
}

export type Commit = (change: Change) => Promise<number>;

/** A record of this many rows stays far below the longest one that the journal takes. */
const REJOURNAL_ROWS = 10;

export function createLedger(deps: {
  readonly store: Store;
  readonly bus: Acknowledging;
  readonly clock: Clock;
  onCommitted(view: LedgerView, change: Change): void;
}): Ledger {
  const { store, bus, clock } = deps;
  let last: LedgerView | null = null;
  let epochMax = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const view = async (): Promise<LedgerView> => {
    // The epoch first: rows newer than their epoch are sent again with it, older ones never would
    // be.
    const epoch = await readEpoch(store.db);
    const rows = await readMutations(store.db);
    const experiments = await readExperiments(store.db);
    last = { epoch, rows: rows.map(asMutation), ...parted(experiments) };
    return last;
  };

  const commit: Commit = async (change) => {
    const changes = changesOf(change);
    // Never an epoch twice, also where the journal took a change that the transaction then refused.
    const epoch = Math.max(await readEpoch(store.db), epochMax) + 1;
    epochMax = epoch;
    if (changes.length > 0) {
      const at_ms = clock.policy_ms();
      await bus.acknowledge([{ type: 'ledger', v: 1, at_ms, epoch, changes }]);
    }
    await store.transaction(async (tx) => {
      await upsertLedger(tx, changes, epoch);
      await change.also?.(tx);
    });
    deps.onCommitted(await view(), change);
    return epoch;
  };

  const exclusive: Ledger['exclusive'] = (work) => {
    const mine = queue.then(() => work(commit));
    queue = mine.catch(() => undefined);
    return mine;
  };

  return {
    view,
    async plans(filter = {}) {
      const rows = await readPlans(store.db, filter);
      return rows.map(({ row }) => row as unknown as PlanRecord);
    },
    lastView: () => last,
    exclusive,
    rejournal: () =>
      exclusive(async () => {
        const { epoch, rows, experiments, ab } = await view();
        const plans = (await readPlans(store.db)).map(({ row }) => row as unknown as PlanRecord);
        const changes = changesOf({ mutations: rows, experiments, ...(ab ? { ab } : {}), plans });
        const at_ms = clock.policy_ms();
        for (let from = 0; from < changes.length; from += REJOURNAL_ROWS) {
          const part = changes.slice(from, from + REJOURNAL_ROWS);
          await bus.acknowledge([{ type: 'ledger', v: 1, at_ms, epoch, changes: part }]);
        }
      }),
  };
}

/** Rows of the ledger are written by this file only, whole, so their shape is ours. */
function asMutation({ row }: LedgerRow): MutationRecord {
  return row as unknown as MutationRecord;
}

/** Canaries' records and A/B runs lie in one table. */
function parted(rows: readonly LedgerRow[]): Required<Pick<LedgerView, 'experiments' | 'ab'>> {
  const isAb = ({ row }: LedgerRow): boolean => row.kind === 'ab';
  const canaries = rows.filter((one) => !isAb(one));
  return {
    experiments: canaries.map(({ row }) => row as unknown as ExperimentRecord),
    ab: rows.filter(isAb).map(({ row }) => row as unknown as AbRecord),
  };
}

/** A record as the JSON that crosses the journal: both are the same data. */
function asJson(record: MutationRecord | PlanRecord | ExperimentRecord | AbRecord): JsonObject {
  return record as unknown as JsonObject;
}

function changesOf(change: Change): readonly LedgerChange[] {
  return [
    ...(change.mutations ?? []).map((row) => ({ table: 'mutations' as const, row: asJson(row) })),
    ...[...(change.experiments ?? []), ...(change.ab ?? [])].map((row) => ({
      table: 'experiments' as const,
      row: asJson(row),
    })),
    ...(change.plans ?? []).map((row) => ({ table: 'plans' as const, row: asJson(row) })),
  ];
}

/** What the gateway folds: live rows and live experiments, and no more of them than it needs. */
export function stateOf(view: LedgerView): State {
  const live = view.rows.filter(isLive);
  const ab = (view.ab ?? []).flatMap(abRunOf);
  return {
    epoch: view.epoch,
    rows: live.map(rowOf),
    experiments: view.experiments.flatMap(experimentOf),
    content: Object.assign({}, ...live.map(({ content }) => content)) as Contents,
    ...(ab.length === 0 ? {} : { ab }),
  };
}

function experimentOf(record: ExperimentRecord): readonly Experiment[] {
  const { id, agent, row, state, epoch } = record;
  return state === 'canary' || state === 'paused' ? [{ id, agent, row, state, epoch }] : [];
}

function abRunOf({ id, state, epoch, dropped }: AbRecord): readonly AbRun[] {
  return state === 'removed' ? [] : [{ id, state, epoch, dropped: Object.keys(dropped) }];
}

/** A row as people are shown it. */
export function mutationStatusOf(row: MutationRecord): MutationStatus {
  const { id, rollback_key, type, agent, state, patch, plan, origin } = row;
  const { executed_ms, version_before, version_after, reason } = row;
  return {
    id,
    rollback_key,
    type,
    agent,
    state,
    patch,
    plan,
    origin,
    executed_ms,
    version_before,
    version_after,
    reason,
  };
}

/** A plan as it is answered. */
export function planOf(record: PlanRecord): Plan {
  const { id, origin, state, created_ms, expires_at, mutations } = record;
  return { id, origin, state, created_ms, expires_at, mutations };
}
