import { runIdOf } from '../core/ab/arm-policy.ts';
import { treatmentsOf } from '../core/ab/entry.ts';
import { judgeAb } from '../core/ab/judge.ts';
import type { AbRecord } from '../core/ab/record.ts';
import type { AbReport } from '../core/ab/report.ts';
import { MATURITY_MS } from '../core/canary.ts';
import type { CanaryWithheldEvent } from '../core/event.ts';
import type { Policy } from '../core/policy.ts';
import { abCounts } from '../store/ab-counts.ts';
import { planOfWinner } from './ab-plan.ts';
import { droppedArm, keptRun, newRun, removedRun, stoppedRun, type WantedRun } from './ab-steps.ts';
import type { OracleContext } from './context.ts';
import type { Change } from './ledger.ts';
import { canariesOf, inForceOf } from './records.ts';

/** The newest report of each running run, for whoever asks between two looks. */
export type Reports = Map<string, AbReport>;

export function wantedRuns({ experiments = {}, prompts }: Policy): readonly WantedRun[] {
  return Object.entries(experiments).map(([name, entry]) => {
    return { id: runIdOf(name, entry, prompts), name, entry };
  });
}

/**
 * Makes the runs what the policy says, then looks at each and does what the rules ask for. Costs
 * nothing where there is no experiment, and neither its looks nor their number change a result.
 */
export async function tendAb(context: OracleContext, reports: Reports): Promise<void> {
  const known = context.ledger.lastView()?.ab;
  const none = context.loaded().policy.experiments === undefined;
  if (none && known?.every(({ state }) => state === 'removed')) return;
  await followPolicy(context, reports);
  const { ab = [] } = await context.ledger.view();
  for (const record of ab) {
    if (record.state === 'running') await look(context, record, reports);
  }
  tellMetrics(context, (await context.ledger.view()).ab ?? [], reports);
}

/** Opens, keeps and removes runs as the policy has them. A run begins when no canary is in it. */
function followPolicy(context: OracleContext, reports: Reports): Promise<void> {
  return context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const { policy } = inForceOf(context.loaded(), view.rows);
    const wanted = wantedRuns(policy);
    const busy = new Set(canariesOf(view).map(({ experiment }) => experiment.agent));
    const { ab: records = [] } = view;
    const gone = records.flatMap((record) => {
      if (wanted.some(({ id }) => id === record.id)) return [];
      return removedRun(record, reports.get(record.id) ?? null) ?? [];
    });
    const there = wanted.flatMap((run) => {
      const record = records.find(({ id }) => id === run.id);
      if (record) return keptRun(record, run) ?? [];
      return busy.has(run.entry.agent) ? [] : newRun(run, context.clock.policy_ms());
    });
    const ab = [...gone, ...there];
    if (ab.length === 0) return;
    await commit({ ab });
    for (const { id, state, agent } of ab) context.log.info('experiment', { id, state, agent });
  });
}

async function look(context: OracleContext, record: AbRecord, reports: Reports): Promise<void> {
  const report = await reportOf(context, record);
  reports.set(record.id, report);
  const { step } = report;
  if (step.kind === 'continue') return;
  await change(context, record.id, (current) => {
    const at_ms = context.clock.policy_ms();
    const judged = { ...current, report };
    if (step.kind === 'drop') return droppedArm(judged, step.arm, step.reason, at_ms);
    return stoppedRun(judged, step.verdict, report, at_ms);
  });
}

/** What the store says of a run now. */
export async function reportOf(
  { store, clock }: OracleContext,
  { id, entry, started_ms, dropped, report }: AbRecord,
): Promise<AbReport> {
  const now_ms = clock.policy_ms();
  const counts = await abCounts(store.db, id, entry, { now_ms, maturity_ms: MATURITY_MS });
  return judgeAb({ entry, counts, age_ms: now_ms - started_ms, dropped, before: report });
}

/** Changes a run if it still runs, with the plan of its winner where one is asked for. */
export function change(
  context: OracleContext,
  id: string,
  make: (record: AbRecord) => AbRecord | null,
  also: Pick<Change, 'also'> = {},
): Promise<boolean> {
  return context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const record = view.ab?.find((one) => one.id === id);
    const next = record?.state === 'running' ? make(record) : null;
    if (!next) return false;
    const proposes = next.entry.at_end === 'propose' && next.verdict?.kind === 'winner';
    const plan = proposes ? planOfWinner(context, view, next) : null;
    const told: AbRecord =
      typeof plan === 'string' ? { ...next, no_plan: plan } : { ...next, plan: plan?.id ?? null };
    const plans = plan === null || typeof plan === 'string' ? {} : { plans: [plan] };
    await commit({ ab: [told], ...plans, ...also });
    const { state, verdict, dropped } = told;
    const why = verdict?.sentence ?? Object.values(dropped).at(-1);
    if (state === 'stopped' || why !== undefined)
      context.log.warn('experiment', { id, state, why });
    return true;
  });
}

/**
 * The gateway serves an arm no more by itself: after a hard trigger the arm is dropped, after an
 * expiry the run goes on with permits of a higher epoch. Hearing it twice changes nothing.
 */
export async function settleAbWithheld(
  context: OracleContext,
  { experiment, cause, epoch, reason }: CanaryWithheldEvent,
): Promise<boolean> {
  const [run = '', arm = ''] = experiment.split('/', 2);
  if (cause === 'expired') {
    return change(context, run, (record) => (epoch < record.epoch ? null : raised(record)));
  }
  const { ab = [] } = await context.ledger.view();
  const known = ab.find(({ id, state }) => id === run && state === 'running');
  if (!known) return false;
  const report = await reportOf(context, known);
  const why = `${arm} does harm: the gateway’s trigger, ${reason}`;
  return change(context, run, (record) => {
    const isServed =
      treatmentsOf(record.entry).includes(arm) && !Object.hasOwn(record.dropped, arm);
    return isServed ? droppedArm({ ...record, report }, arm, why, context.clock.policy_ms()) : null;
  });
}

function raised(record: AbRecord): AbRecord {
  return { ...record, epoch: record.epoch + 1 };
}

const STATES = ['running', 'stopped'] as const;

function tellMetrics({ metrics }: OracleContext, ab: readonly AbRecord[], reports: Reports): void {
  for (const state of STATES) {
    metrics.set('hive_experiments', ab.filter((one) => one.state === state).length, [state]);
  }
  for (const { id, name, state } of ab) {
    if (state !== 'running') continue;
    for (const { arm, units } of reports.get(id)?.arms ?? []) {
      metrics.set('hive_experiment_units', units, [name, arm]);
    }
  }
  for (const { id } of ab.filter(({ state }) => state === 'removed')) reports.delete(id);
}
