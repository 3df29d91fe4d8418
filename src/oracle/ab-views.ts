import { armsOf, CONTROL_ARM } from '../core/ab/entry.ts';
import type { AbRecord } from '../core/ab/record.ts';
import type { AbReport } from '../core/ab/report.ts';
import { GatewayError } from '../core/errors.ts';
import { insertAudit } from '../store/audit-trail.ts';
import type { AbDetail, AbExperiments, AbSummary } from './ab-answers.ts';
import { newRun, stoppedRun, type WantedRun } from './ab-steps.ts';
import { change, type Reports, reportOf, wantedRuns } from './ab-tick.ts';
import type { OracleContext } from './context.ts';
import { canariesOf, inForceOf, type LedgerView } from './records.ts';

/** Ended experiments that are listed. */
const REMOVED_MAX = 20;

/** What is known of one: the policy's entry, the ledger's record, or both. */
interface Known {
  readonly wanted: WantedRun | null;
  readonly record: AbRecord | null;
}

export function experimentsOver(context: OracleContext, reports: Reports): AbExperiments {
  const detail = async (name: string): Promise<AbDetail> => {
    const view = await context.ledger.view();
    const known = knownBy(context, view, name);
    const { record } = known;
    const live = record?.state === 'running' ? await reportOf(context, record) : null;
    const report = live ?? record?.report ?? null;
    const { entry } = (record ?? known.wanted) as WantedRun;
    return { ...summaryOf(context, view, known, report), entry, report };
  };
  return {
    async list() {
      const view = await context.ledger.view();
      const told = allOf(context, view).map((known) => {
        const { record } = known;
        const newest = record?.state === 'running' ? reports.get(record.id) : undefined;
        return summaryOf(context, view, known, newest ?? record?.report ?? null);
      });
      return told;
    },
    show: detail,
    async stop(name, by, note) {
      await open(context, name);
      const { run } = await detail(name);
      const at_ms = context.clock.policy_ms();
      const said = `stopped${by === null ? '' : ` by ${by}`}${note === null ? '' : `: ${note}`}`;
      const verdict = { kind: 'manual', arm: null, sentence: said } as const;
      const { record } = knownBy(context, await context.ledger.view(), run);
      const report = record?.state === 'running' ? await reportOf(context, record) : null;
      await change(context, run, (current) => stoppedRun(current, verdict, report, at_ms), {
        also: (db) => insertAudit(db, { at_ms, action: 'stopped', subject: run, by, note }),
      });
      return detail(run);
    },
  };
}

/** One that waits for a canary is begun, so that its end can be kept. */
function open(context: OracleContext, name: string): Promise<void> {
  return context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const { wanted, record } = knownBy(context, view, name);
    if (record || !wanted) return;
    await commit({ ab: [newRun(wanted, context.clock.policy_ms())] });
  });
}

function allOf(context: OracleContext, view: LedgerView): readonly Known[] {
  const { policy } = inForceOf(context.loaded(), view.rows);
  const records = view.ab ?? [];
  const wanted = wantedRuns(policy).map((run): Known => {
    return { wanted: run, record: records.find(({ id }) => id === run.id) ?? null };
  });
  const gone = records
    .filter(({ id }) => !wanted.some((one) => one.record?.id === id))
    .sort((left, right) => right.started_ms - left.started_ms)
    .slice(0, REMOVED_MAX);
  return [...wanted, ...gone.map((record): Known => ({ wanted: null, record }))];
}

function knownBy(context: OracleContext, view: LedgerView, name: string): Known {
  const found = allOf(context, view).find(({ wanted, record }) =>
    [wanted?.name, wanted?.id, record?.name, record?.id].some((known) => known === name),
  );
  if (found) return found;
  throw new GatewayError('not_found', `There is no experiment ${name}.`, { param: 'name' });
}

function summaryOf(
  context: OracleContext,
  view: LedgerView,
  { wanted, record }: Known,
  report: AbReport | null,
): AbSummary {
  const { id, name, entry } = (record ?? wanted) as WantedRun;
  const units = new Map(report?.arms.map((one) => [one.arm, one.units]));
  const state = record?.state ?? 'waiting';
  const [serves, serves_why] = servedOf(context, view, { wanted, record });
  return {
    name,
    run: id,
    agent: entry.agent,
    state,
    arms: armsOf(entry).map(([arm, { share }]) => {
      return { arm, share, units: units.get(arm) ?? 0, dropped: record?.dropped[arm] ?? null };
    }),
    metric: entry.metric,
    sentence: record?.verdict?.sentence ?? report?.sentence ?? serves_why ?? 'not looked at yet',
    verdict: record?.verdict ?? null,
    split: report?.split ?? null,
    started_at: dateOf(record?.started_ms),
    stopped_at: dateOf(record?.stopped_ms),
    serves,
    serves_why,
    plan: record?.plan ?? null,
    no_plan: record?.no_plan ?? null,
  };
}

/** What calls of its agent get, and why where that is one arm for all. */
function servedOf(
  context: OracleContext,
  view: LedgerView,
  { wanted, record }: Known,
): readonly [string, string | null] {
  const { entry } = (wanted ?? record) as WantedRun;
  if (!wanted || record?.state === 'removed') return [CONTROL_ARM, 'it is not in the policy'];
  if (record?.state === 'stopped') return [entry.on_stop, 'it has stopped'];
  const canary = canariesOf(view).find(({ experiment }) => experiment.agent === entry.agent);
  const { switches } = context.loaded().policy;
  if (canary) return [CONTROL_ARM, `the canary ${canary.experiment.id} of its agent comes first`];
  if (context.frozen()) return [CONTROL_ARM, 'frozen (hive freeze)'];
  if (!switches.feedback_loop) return [CONTROL_ARM, 'FEEDBACK_LOOP_ENABLED=false'];
  return record ? ['arms', null] : [CONTROL_ARM, 'it begins in a moment'];
}

function dateOf(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString();
}
