import type { LoadedPolicy } from '../config/snapshot.ts';
import type { AbRecord } from '../core/ab/record.ts';
import { agentsInAb } from '../core/ab/record.ts';
import type { Clock } from '../core/clock.ts';
import { fold, versionOf } from '../core/fold.ts';
import type { IdKind } from '../core/ids.ts';
import type { ExperimentRecord, MutationRecord, PlanRecord } from '../core/ledger.ts';
import type { Before, Mutation, MutationKind, MutationType, Plan, Row } from '../core/oracle.ts';
import type { Contents, Policy } from '../core/policy.ts';
import { isPromptRow } from '../core/prompt/rows.ts';
import { type Canary, siblingId } from './canary.ts';

const HOUR_MS = 3_600_000;

/**
 * The ledger's records as data: what a store holds and a simulation holds in memory alike. Pure;
 * nothing here knows of a store.
 */

/** The ledger as it stood at one moment. */
export interface LedgerView {
  readonly epoch: number;
  readonly rows: readonly MutationRecord[];
  readonly experiments: readonly ExperimentRecord[];
  /** Runs of A/B experiments; a simulation has none. */
  readonly ab?: readonly AbRecord[];
}

/** The policy with the applied rows folded over it. */
export interface InForce {
  readonly base: Policy;
  readonly policy: Policy;
  readonly version: string;
  readonly contents: Contents;
}

export function isLive(row: Pick<Row, 'state'>): boolean {
  return row.state === 'applied' || row.state === 'canary' || row.state === 'paused';
}

export function rowOf(record: MutationRecord): Row {
  const { seq, id, rollback_key, type, agent, state, touches, before, patch } = record;
  return { seq, id, rollback_key, type, agent, state, touches, before, patch };
}

/** The policy that the main plan serves, as the gateway folds it. */
export function inForceOf(loaded: LoadedPolicy, rows: readonly MutationRecord[]): InForce {
  const contents: Contents = Object.assign(
    { ...loaded.contents },
    ...rows.filter(isLive).map(({ content }) => content),
  );
  const applied = rows.filter(({ state }) => state === 'applied').map(rowOf);
  const { policy } = fold(loaded.policy, applied, contents);
  return { base: loaded.policy, policy, version: versionOf(policy), contents };
}

/** Live experiments with their rows. */
export function canariesOf(view: LedgerView): readonly Canary[] {
  return view.experiments.flatMap((experiment) => {
    if (experiment.state !== 'canary' && experiment.state !== 'paused') return [];
    const row = view.rows.find(({ id }) => id === experiment.row);
    return row ? [{ row, experiment }] : [];
  });
}

export function isOpen(plan: Pick<PlanRecord, 'state'>): boolean {
  return ['proposed', 'needs_approval', 'approved'].includes(plan.state);
}

export function nextSeq(rows: readonly MutationRecord[]): number {
  return rows.reduce((most, { seq }) => Math.max(most, seq), 0) + 1;
}

/** Rows that say "this was tried", so that the oracle does not propose it again. */
export function rejectedRows(
  plan: PlanRecord,
  view: LedgerView,
  reason: string,
  at_ms: number,
): readonly MutationRecord[] {
  const seq = nextSeq(view.rows);
  return plan.mutations.map((mutation, index) => ({
    ...newRow(plan, mutation, seq + index),
    state: 'rejected' as const,
    executed_ms: null,
    ended_ms: at_ms,
    reason,
  }));
}

/** A mutation as a row of the ledger, before it has a state. */
export function newRow(
  plan: PlanRecord,
  mutation: Mutation,
  seq: number,
): Omit<MutationRecord, 'state' | 'executed_ms'> {
  const { id, type, agent, touches, before, patch } = mutation;
  const rollback_key = siblingId(id, 'rollback');
  return {
    seq,
    id,
    rollback_key,
    type,
    agent,
    touches,
    before,
    patch,
    plan: plan.id,
    origin: plan.origin,
    mutation,
    experiment: null,
    content: {},
    version_before: '',
    version_after: '',
    applied_ms: null,
    ended_ms: null,
    reason: null,
  };
}

export function newExperiment(
  mutation: PlanRecord['mutations'][number],
  share: number,
  slow_ms: number | null,
  now_ms: number,
): ExperimentRecord {
  return {
    id: siblingId(mutation.id, 'exp'),
    agent: mutation.agent,
    row: mutation.id,
    state: 'canary',
    epoch: 1,
    share,
    primary: mutation.primary,
    started_ms: now_ms,
    share_since_ms: now_ms,
    slow_ms,
    paused_ms: null,
    paused_total_ms: 0,
    paused_by: null,
    expiries_ms: [],
    withheld: null,
    evidence_max: {},
    judgement: null,
    ended_ms: null,
  };
}

/** What the gates' situation is made of beside the ledger. */
export interface SituationSource {
  readonly clock: Pick<Clock, 'policy_ms'>;
  loaded(): LoadedPolicy;
  readonly kinds: readonly MutationKind[];
  readonly problemsOf: (policy: Policy) => readonly string[];
}

/** What the gates weigh, as the ledger and the files stand now. */
export function situationOf(source: SituationSource, view: LedgerView): Omit<Before, 'earlier'> {
  const at_ms = source.clock.policy_ms();
  const { base, policy, contents } = inForceOf(source.loaded(), view.rows);
  const recent = view.rows.flatMap((row) => {
    const { id, executed_ms } = row;
    const counts = executed_ms !== null && executed_ms > at_ms - HOUR_MS && !isPromptRow(row);
    return counts ? [{ id, at_ms: executed_ms }] : [];
  });
  const kinds = Object.fromEntries(
    source.kinds.map(({ type, paths }) => [type, { paths }]),
  ) as Record<MutationType, { readonly paths: readonly string[] }>;
  const { problemsOf } = source;
  const rows = view.rows.filter(isLive).map(rowOf);
  const ab = agentsInAb(view.ab);
  const before = { at_ms, base, policy, contents, rows, recent, kinds, problemsOf };
  return Object.keys(ab).length === 0 ? before : { ...before, ab };
}

/** What a new plan's row is made of beside its mutations. */
export interface PlanSource {
  readonly clock: Pick<Clock, 'policy_ms'>;
  loaded(): LoadedPolicy;
  readonly createId: (kind: IdKind) => string;
}

/** A new plan's row. */
export function planRecord(
  source: PlanSource,
  origin: Plan['origin'],
  mutations: readonly Mutation[],
  analysis: string | null,
): PlanRecord {
  const created_ms = source.clock.policy_ms();
  const { approval_hours } = source.loaded().policy.oracle.safety;
  const expires_ms = created_ms + approval_hours * HOUR_MS;
  return {
    id: source.createId('plan'),
    origin,
    state: 'proposed',
    created_ms,
    expires_at: new Date(expires_ms).toISOString(),
    mutations,
    expires_ms,
    analysis,
    decided_ms: null,
    decided_by: null,
    note: null,
  };
}
