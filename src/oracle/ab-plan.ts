import { changeOf } from '../core/ab/change.ts';
import { AB_METRICS } from '../core/ab/metrics.ts';
import type { AbRecord } from '../core/ab/record.ts';
import type { PlanRecord } from '../core/ledger.ts';
import type { OracleContext } from './context.ts';
import { mutationOf } from './decide.ts';
import { type LedgerView, planRecord, situationOf } from './records.ts';
import { failedForGood, reasonsOf, validate } from './validate.ts';

/**
 * The plan of a winner, which waits for a person and is executed as any other: as a canary. Never
 * more than a proposal; where the gates would refuse it in any case, the reason instead of it.
 */
export function planOfWinner(
  context: OracleContext,
  view: LedgerView,
  stopped: AbRecord,
): PlanRecord | string {
  const { verdict, entry, id } = stopped;
  if (verdict?.kind !== 'winner' || verdict.arm === null) return 'there is no winner';
  const ab = (view.ab ?? []).map((one) => (one.id === id ? stopped : one));
  const situation = situationOf(context, { ...view, ab });
  const change = changeOf(situation.policy, entry, verdict.arm);
  if (change === 'none') return 'the agent is as the winner has it already';
  if (change === 'several') return 'no single mutation makes the agent as the winner has it';
  const { type, patch } = change;
  const kind = context.kinds.find((one) => one.type === type);
  if (!kind) return `nothing is known of ${type}`;
  const base = mutationOf(kind, entry.agent, patch, situation.policy, context.createId);
  const primary = AB_METRICS[entry.metric].harm;
  const why = `Experiment ${id}: ${verdict.sentence}.`;
  const plan = planRecord(context, 'person', [{ ...base, primary, why }], null);
  const waiting: PlanRecord = { ...plan, state: 'needs_approval' };
  const verdicts = validate(waiting, true, situation, context.gatesNow());
  return failedForGood(verdicts) ? reasonsOf(verdicts, 'fail') : waiting;
}
