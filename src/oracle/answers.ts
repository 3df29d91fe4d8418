import { GatewayError } from '../core/errors.ts';
import { PERMIT_TTL_MS, type Permit } from '../core/state.ts';
import { insertAnalysis, latestFindings } from '../store/audit-trail.ts';
import { abPermits } from './ab-permits.ts';
import { analyze, spanOf } from './analyze.ts';
import { type CollectInput, collect, collectDefaults } from './collect.ts';
import type { OracleContext, OracleDeps } from './context.ts';
import { mutationOf } from './decide.ts';
import { executePlan, refuseClosed, rehearsePlan } from './execute.ts';
import { mutationStatusOf, planOf, stateOf } from './ledger.ts';
import type { Oracle, PlanInput } from './oracle.ts';
import { findingsNamed, parseMutations } from './plan-input.ts';
import {
  currentPlans,
  decidePlan,
  movePlan,
  planFindings,
  planNamed,
  planOfCopy,
  validatePlan,
} from './plans.ts';
import { canariesOf, inForceOf, type LedgerView, planRecord } from './records.ts';
import { rollback } from './take-back.ts';
import { statusOf } from './validate.ts';

const ANALYZE_HOURS_MAX = 720;
const EVENT_LIMIT_MAX = 1_000_000;

export function switchedOn(deps: OracleDeps): boolean {
  return deps.loaded().policy.switches.oracle;
}

export function requireOn(context: OracleContext): void {
  if (switchedOn(context)) return;
  const message = 'The oracle is switched off (ORACLE_SYSTEM_ENABLED=false); rollback works.';
  throw new GatewayError('switched_off', message);
}

/**
 * No permit where nobody would watch the arm, or where nobody's feedback would tell. Experiments
 * that people wrote are watched also where the oracle is switched off.
 */
export function permitsOf(deps: OracleDeps, view: LedgerView): readonly Permit[] {
  const { switches } = deps.loaded().policy;
  if (deps.frozen() || !switches.feedback_loop) return [];
  const watched = switches.oracle ? canariesOf(view) : [];
  const canaries = watched.flatMap(({ experiment: { id, state, epoch, share } }) =>
    state === 'canary' ? [{ experiment: id, epoch, share, ttl_ms: PERMIT_TTL_MS }] : [],
  );
  return [...canaries, ...abPermits(view)];
}

export type Answers = Omit<Oracle, 'tick' | 'cycle' | 'cycles'>;

/** The admin API’s answers, all but those about cycles. */
export function answersOf(context: OracleContext): Answers {
  return {
    async analyze(input) {
      requireOn(context);
      const observation = await collect(context, windowOf(context, input));
      const previous = await latestFindings(context.store.db, spanOf(observation.window));
      const analysis = analyze(observation, context.detect, context.createId, previous);
      await insertAnalysis(context.store.db, analysis);
      return analysis;
    },
    async plan(input) {
      requireOn(context);
      return 'mutations' in input ? ownPlan(context, input) : planOfFindings(context, input);
    },
    async validate(copy) {
      const plan = await planOfCopy(context, copy);
      refuseClosed(plan);
      const verdicts = await validatePlan(context, plan);
      const status = statusOf(verdicts);
      if (status === 'needs_approval') await movePlan(context, plan.id, 'needs_approval');
      return { plan_id: plan.id, status, overall_passed: status === 'passed', verdicts };
    },
    async execute(copy, { dry_run }) {
      requireOn(context);
      const plan = await planOfCopy(context, copy);
      if (dry_run) return rehearsePlan(context, plan.id);
      if (context.frozen()) {
        const message =
          'The gateway is frozen (hive freeze): nothing is executed until it is lifted.';
        throw new GatewayError('switched_off', message);
      }
      return executePlan(context, plan.id);
    },
    rollback: (input) => rollback(context, input),
    async approve(id, by, note) {
      requireOn(context);
      return planOf(await decidePlan(context, id, 'approved', by, note));
    },
    reject: async (id, by, note) => planOf(await decidePlan(context, id, 'rejected', by, note)),
    async plans(state) {
      const plans = await currentPlans(context);
      return plans.filter((plan) => state === null || plan.state === state).map(planOf);
    },
    planById: async (id) => planOf(await planNamed(context, id)),
    async canaries() {
      return canariesOf(await context.ledger.view()).map(({ row, experiment }) => ({
        experiment: experiment.id,
        agent: experiment.agent,
        mutation: row.id,
        rollback_key: row.rollback_key,
        state: row.state,
        share: experiment.share,
        started_ms: experiment.started_ms,
        judgement: experiment.judgement,
      }));
    },
    async mutations() {
      const { rows } = await context.ledger.view();
      return rows.toReversed().map(mutationStatusOf);
    },
    state: async () => stateOf(await context.ledger.view()),
    permits: async () => permitsOf(context, await context.ledger.view()),
  };
}

function windowOf(
  context: OracleContext,
  input: { readonly time_window_hours?: number; readonly event_limit?: number },
): CollectInput {
  const defaults = collectDefaults(context.loaded().policy);
  const window_hours = input.time_window_hours ?? defaults.window_hours;
  const event_limit = input.event_limit ?? defaults.event_limit;
  if (!(Number.isFinite(window_hours) && window_hours > 0 && window_hours <= ANALYZE_HOURS_MAX)) {
    const param = 'time_window_hours';
    const message = `${param} must be a number above 0 and at most ${ANALYZE_HOURS_MAX}.`;
    throw new GatewayError('bad_request', message, { param });
  }
  if (!(Number.isInteger(event_limit) && event_limit >= 0 && event_limit <= EVENT_LIMIT_MAX)) {
    const param = 'event_limit';
    const message = `${param} must be a whole number from 0 to ${EVENT_LIMIT_MAX}.`;
    throw new GatewayError('bad_request', message, { param });
  }
  return { window_hours, event_limit };
}

/** One plan for all findings; where an open plan stands for them already, that one. */
async function planOfFindings(context: OracleContext, input: PlanInput & { findings: unknown }) {
  const { findings, analysis } = await findingsNamed(context.store.db, input.findings);
  const { made, covered } = await planFindings(context, findings, analysis, true);
  if (made[0]) return planOf(made[0]);
  if (covered[0] !== undefined) return planOf(await planNamed(context, covered[0]));
  return storePlan(context, 'oracle', [], analysis);
}

async function ownPlan(context: OracleContext, input: PlanInput & { mutations: unknown }) {
  const { rows } = await context.ledger.view();
  const { policy } = inForceOf(context.loaded(), rows);
  const asked = parseMutations(input.mutations, Object.keys(policy.agents));
  const mutations = asked.map(({ type, agent, patch, primary, why }) => {
    const kind = context.kinds.find((one) => one.type === type);
    if (!kind) throw new GatewayError('internal', `No mutation is registered for ${type}.`);
    const base = mutationOf(kind, agent, patch, policy, context.createId);
    return { ...base, primary, why: why ?? null };
  });
  return storePlan(context, 'person', mutations, null);
}

async function storePlan(
  context: OracleContext,
  origin: 'oracle' | 'person',
  mutations: Parameters<typeof planRecord>[2],
  analysis: string | null,
) {
  const plan = planRecord(context, origin, mutations, analysis);
  await context.ledger.exclusive((commit) => commit({ plans: [plan] }));
  return planOf(plan);
}
