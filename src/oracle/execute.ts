import { GatewayError } from '../core/errors.ts';
import { fold, versionOf } from '../core/fold.ts';
import type { ExperimentRecord, MutationRecord, PlanRecord } from '../core/ledger.ts';
import type { GateVerdict, Row, RowState } from '../core/oracle.ts';
import { insertAudit } from '../store/audit-trail.ts';
import { siblingId } from './canary.ts';
import type { OracleContext } from './context.ts';
import type { Execution } from './oracle.ts';
import { planNamed } from './plans.ts';
import {
  inForceOf,
  isOpen,
  type LedgerView,
  newExperiment,
  newRow,
  nextSeq,
  rejectedRows,
  rowOf,
  situationOf,
} from './records.ts';
import { failedForGood, reasonsOf, statusOf, validate } from './validate.ts';

type Outcome = Execution['mutations'][number];

/**
 * Puts a plan's mutations into the ledger: as canaries at the policy's first share, or applied
 * where that share is 1. The gates run again within the same turn as the write, so nothing can come
 * between the compare and the set. Executing a plan twice is the same as once.
 */
export async function executePlan(context: OracleContext, plan_id: string): Promise<Execution> {
  const done = await context.ledger.exclusive(async (commit) => {
    const plan = await planNamed(context, plan_id);
    const view = await context.ledger.view();
    if (plan.state === 'executed') return { epoch: view.epoch, ...outcomesOf(view, plan) };
    refuseClosed(plan);
    const verdicts = verdictsOn(context, view, plan);
    if (statusOf(verdicts) !== 'passed') {
      if (!failedForGood(verdicts)) throw refusalOf(plan, verdicts);
      await commit(failedChange(plan, verdicts, view, context.clock.policy_ms()));
      throw refusalOf(plan, verdicts);
    }
    const made = await recordsOf(context, view, plan);
    const at_ms = context.clock.policy_ms();
    const executed = { ...plan, state: 'executed' as const };
    const audit = { at_ms, action: 'executed', subject: plan.id, by: null, note: null };
    const epoch = await commit({
      plans: [executed],
      ...made,
      also: (db) => insertAudit(db, audit),
    });
    return { epoch, ...outcomesOf(await context.ledger.view(), executed) };
  });
  const none = done.mutations.length === 0;
  const effective = none || (await context.effect.wait(done.epoch));
  return { plan_id, dry_run: false, effective, mutations: done.mutations };
}

/** What executing would do, or why it would not. Writes nothing. */
export async function rehearsePlan(context: OracleContext, plan_id: string): Promise<Execution> {
  const plan = await planNamed(context, plan_id);
  const view = await context.ledger.view();
  const answer = { plan_id, dry_run: true, effective: false };
  if (plan.state === 'executed') return { ...answer, ...outcomesOf(view, plan) };
  refuseClosed(plan);
  const verdicts = verdictsOn(context, view, plan);
  const { mutations, experiments } = await recordsOf(context, view, plan);
  const outcomes = mutations.map((row): Outcome => {
    const refusal = ['fail', 'needs_approval'] as const;
    const reason = refusal
      .map((kind) => reasonsOf(verdicts, kind, row.id))
      .filter((text) => text !== '')
      .join('; ');
    const outcome = { ...outcomeOf(row, experiments), rollback_key: null };
    if (reason === '') return outcome;
    return { ...outcome, state: 'planned', share: 0, version_after: row.version_before, reason };
  });
  return { ...answer, mutations: outcomes };
}

/** An ended plan is history: it is neither weighed nor executed again. */
export function refuseClosed(plan: PlanRecord): void {
  if (isOpen(plan)) return;
  const message = `Plan ${plan.id} is ${plan.state}: nothing more comes of it.`;
  throw new GatewayError('superseded', message, { param: 'plan' });
}

function verdictsOn(
  context: OracleContext,
  view: LedgerView,
  plan: PlanRecord,
): readonly GateVerdict[] {
  const approved = plan.state === 'approved';
  return validate(plan, approved, situationOf(context, view), context.gatesNow());
}

function refusalOf(plan: PlanRecord, verdicts: readonly GateVerdict[]): GatewayError {
  const details = { param: 'plan', verdicts };
  if (statusOf(verdicts) === 'needs_approval') {
    const message = `Plan ${plan.id} needs approval: ${reasonsOf(verdicts, 'needs_approval')}`;
    return new GatewayError('approval_required', message, details);
  }
  const message = `Plan ${plan.id} does not pass: ${reasonsOf(verdicts, 'fail')}`;
  const code = isStale(verdicts) ? 'superseded' : 'not_validated';
  return new GatewayError(code, message, details);
}

function isStale(verdicts: readonly GateVerdict[]): boolean {
  return verdicts.some(
    ({ verdict, reason }) => verdict === 'fail' && reason.startsWith('superseded'),
  );
}

/** What was overtaken by an edit may be tried again on the new ground; what cannot pass may not. */
export function failedChange(
  plan: PlanRecord,
  verdicts: readonly GateVerdict[],
  view: LedgerView,
  at_ms: number,
): { readonly plans: readonly PlanRecord[]; readonly mutations: readonly MutationRecord[] } {
  const plans = [{ ...plan, state: 'failed' as const }];
  if (isStale(verdicts)) return { plans, mutations: [] };
  return { plans, mutations: rejectedRows(plan, view, reasonsOf(verdicts, 'fail'), at_ms) };
}

interface Records {
  readonly mutations: readonly MutationRecord[];
  readonly experiments: readonly ExperimentRecord[];
}

async function recordsOf(
  context: OracleContext,
  view: LedgerView,
  plan: PlanRecord,
): Promise<Records> {
  const { base, policy, contents } = inForceOf(context.loaded(), view.rows);
  const { share } = policy.oracle.safety.canary;
  const now_ms = context.clock.policy_ms();
  const folded: Row[] = view.rows.filter(({ state }) => state === 'applied').map(rowOf);
  let version = versionOf(policy);
  const mutations: MutationRecord[] = [];
  const experiments: ExperimentRecord[] = [];
  for (const [index, mutation] of plan.mutations.entries()) {
    const row = newRow(plan, mutation, nextSeq(view.rows) + index);
    const applied = share >= 1;
    folded.push({ ...row, state: 'applied' });
    const version_after = versionOf(fold(base, folded, contents).policy);
    mutations.push({
      ...row,
      state: applied ? 'applied' : 'canary',
      experiment: applied ? null : siblingId(mutation.id, 'exp'),
      version_before: version,
      version_after,
      executed_ms: now_ms,
      applied_ms: applied ? now_ms : null,
    });
    version = version_after;
    if (applied) continue;
    // What is slow is fixed once the arm is warm (tend-canaries).
    experiments.push(newExperiment(mutation, share, null, now_ms));
  }
  return { mutations, experiments };
}

function outcomesOf(view: LedgerView, plan: PlanRecord): { mutations: readonly Outcome[] } {
  const mutations = plan.mutations.flatMap(({ id }) => {
    const row = view.rows.find((candidate) => candidate.id === id);
    return row ? [outcomeOf(row, view.experiments)] : [];
  });
  return { mutations };
}

function outcomeOf(row: MutationRecord, experiments: readonly ExperimentRecord[]): Outcome {
  const { id, rollback_key, state, version_before, version_after, reason } = row;
  const share = shareOf(
    state,
    experiments.find((one) => one.row === id),
  );
  const answer = { id, rollback_key, state, share, version_before, version_after };
  return reason === null ? answer : { ...answer, reason };
}

function shareOf(state: RowState, experiment: ExperimentRecord | undefined): number {
  if (state === 'applied') return 1;
  return state === 'canary' ? (experiment?.share ?? 0) : 0;
}
