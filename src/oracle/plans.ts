import { agentsInAb } from '../core/ab/record.ts';
import { GatewayError } from '../core/errors.ts';
import type { PlanRecord } from '../core/ledger.ts';
import type { GateVerdict } from '../core/oracle.ts';
import { insertAudit, insertVerdicts } from '../store/audit-trail.ts';
import type { OracleContext } from './context.ts';
import { idOfCopy, refuseEdited } from './copies.ts';
import { decide } from './decide.ts';
import { inForceOf, isOpen, planRecord, rejectedRows, situationOf } from './records.ts';
import { failedForGood, reasonsOf, validate } from './validate.ts';

/**
 * Plans from findings: one for all of them, or one an agent, so that a person decides of each
 * alone. Where an open plan already stands for a finding, that plan is named instead of a second
 * one.
 */
export function planFindings(
  context: OracleContext,
  findings: Parameters<typeof decide>[0],
  analysis: string | null,
  together: boolean,
): Promise<{ made: readonly PlanRecord[]; covered: readonly string[]; withheld: unknown[] }> {
  return context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const open = (await currentPlans(context)).filter(isOpen);
    const { policy } = inForceOf(context.loaded(), view.rows);
    const ab = agentsInAb(view.ab);
    const situation = { policy, kinds: context.kinds, rows: view.rows, open, ab };
    const { mutations, covered, withheld } = decide(findings, situation, context.createId);
    const groups = together ? [mutations] : mutations.map((mutation) => [mutation]);
    const made = groups
      .filter((group) => group.length > 0)
      .map((group) => planRecord(context, 'oracle', group, analysis));
    if (made.length > 0) await commit({ plans: made });
    return { made, covered, withheld: [...withheld] };
  });
}

/**
 * All plans as they are now: one whose time has run out is expired, whether or not it was written.
 */
export async function currentPlans(
  context: OracleContext,
  filter?: { readonly ids: readonly string[] },
): Promise<readonly PlanRecord[]> {
  const now_ms = context.clock.policy_ms();
  const plans = await context.ledger.plans(filter);
  return plans.map((plan) =>
    isOpen(plan) && plan.expires_ms <= now_ms ? { ...plan, state: 'expired' as const } : plan,
  );
}

/** Writes down which open plans ran out of time. */
export function expirePlans(context: OracleContext): Promise<void> {
  return context.ledger.exclusive(async (commit) => {
    const stored = await context.ledger.plans();
    const open = new Set(stored.filter(isOpen).map(({ id }) => id));
    const plans = (await currentPlans(context)).filter(
      ({ id, state }) => state === 'expired' && open.has(id),
    );
    if (plans.length > 0) await commit({ plans });
  });
}

export async function planNamed(context: OracleContext, id: string): Promise<PlanRecord> {
  const [plan] = await currentPlans(context, { ids: [id] });
  if (plan) return plan;
  throw new GatewayError('not_found', `There is no plan ${id}.`, { param: 'plan' });
}

/** The stored plan of a client's copy; refuses a copy that was edited. */
export async function planOfCopy(context: OracleContext, copy: unknown): Promise<PlanRecord> {
  const plan = await planNamed(context, idOfCopy(copy, 'plan'));
  refuseEdited(copy, plan, 'plan', ['state']);
  return plan;
}

/** Runs the gates over a plan and keeps their verdicts. */
export async function validatePlan(
  context: OracleContext,
  plan: PlanRecord,
  approved = plan.state === 'approved',
): Promise<readonly GateVerdict[]> {
  const situation = situationOf(context, await context.ledger.view());
  const verdicts = validate(plan, approved, situation, context.gatesNow());
  for (const { gate, verdict } of verdicts) {
    context.metrics.add('hive_verdicts_total', [gate, verdict]);
  }
  if (verdicts.length > 0) {
    await insertVerdicts(context.store.db, plan.id, situation.at_ms, verdicts);
  }
  return verdicts;
}

/** Moves a plan to another state if it is still open; returns it as it then stands. */
export function movePlan(
  context: OracleContext,
  id: string,
  state: PlanRecord['state'],
): Promise<PlanRecord> {
  return context.ledger.exclusive(async (commit) => {
    const plan = await planNamed(context, id);
    if (!isOpen(plan) || plan.state === state || plan.state === 'approved') return plan;
    const moved = { ...plan, state };
    await commit({ plans: [moved] });
    return moved;
  });
}

/**
 * A person's yes or no. Saying the same twice is the same as once; an ended plan cannot be decided.
 */
export async function decidePlan(
  context: OracleContext,
  id: string,
  decision: 'approved' | 'rejected',
  by: string | null,
  note: string | null,
): Promise<PlanRecord> {
  if (decision === 'approved') await refuseUnapprovable(context, await planNamed(context, id));
  return context.ledger.exclusive(async (commit) => {
    const plan = await planNamed(context, id);
    if (plan.state === decision) return plan;
    if (!isOpen(plan)) {
      const message = `Plan ${id} is ${plan.state}: it can no longer be ${decision}.`;
      throw new GatewayError('superseded', message, { param: 'plan' });
    }
    const at_ms = context.clock.policy_ms();
    const decided = { ...plan, state: decision, decided_ms: at_ms, decided_by: by, note };
    const view = await context.ledger.view();
    const reason = `rejected${by === null ? '' : ` by ${by}`}`;
    await commit({
      plans: [decided],
      mutations: decision === 'rejected' ? rejectedRows(decided, view, reason, at_ms) : [],
      also: (db) => insertAudit(db, { at_ms, action: decision, subject: id, by, note }),
    });
    return decided;
  });
}

/** An approval of what can never pass would promise what cannot be kept. */
async function refuseUnapprovable(context: OracleContext, plan: PlanRecord): Promise<void> {
  if (plan.state !== 'proposed' && plan.state !== 'needs_approval') return;
  const verdicts = await validatePlan(context, plan, true);
  if (!failedForGood(verdicts)) return;
  const message = `Plan ${plan.id} cannot be approved: ${reasonsOf(verdicts, 'fail')}`;
  throw new GatewayError('not_validated', message, { param: 'plan', verdicts });
}
