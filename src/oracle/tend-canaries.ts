import {
  type CanaryStats,
  type Cell,
  COLD_UNITS,
  type Judgement,
  MATURITY_MS,
  statsInRecord,
} from '../core/canary.ts';
import { type JsonObject, sameJson } from '../core/canonical.ts';
import type { CanaryWithheldEvent } from '../core/event.ts';
import type { Policy } from '../core/policy.ts';
import {
  canaryArrivals,
  canaryCells,
  canaryFreshness,
  canaryUnits,
  complaintsOf,
  slowThreshold,
  withheldOf,
} from '../store/canary-stats.ts';
import { type Canary, type Step, stepCanary, stepFor } from './canary.ts';
import type { OracleContext } from './context.ts';
import type { Commit } from './ledger.ts';
import { judge } from './monitor.ts';
import { canariesOf, inForceOf } from './records.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** What the monitor did with one canary in one cycle. */
export interface Tended {
  readonly experiment: string;
  readonly state: string;
  readonly share: number;
  readonly judgement: Judgement;
  readonly step: Step['kind'] | 'none';
}

/** Judges every live canary on what is stored, and moves it as the judgement says. */
export async function tendCanaries(context: OracleContext): Promise<readonly Tended[]> {
  await settleForgotten(context);
  const view = await context.ledger.view();
  const { policy } = inForceOf(context.loaded(), view.rows);
  const tended: Tended[] = [];
  for (const canary of canariesOf(view)) {
    const stats = await statsOf(context, canary, policy);
    const at_ms = context.clock.policy_ms();
    const judgement = judge(stats, policy, at_ms);
    const step = stepFor(canary, judgement, {
      at_ms,
      frozen: context.frozen(),
      feedback_loop: policy.switches.feedback_loop,
    });
    const slow_ms = await slowBarOf(context, canary, stats);
    tended.push(await settle(context, { ...canary, slow_ms }, judgement, step));
  }
  return tended;
}

/**
 * Above which latency an answer is slow: fixed by control, once, and not before the canary has
 * answered its first units. Until then nobody's answer counts as slow, in either arm.
 */
async function slowBarOf(
  context: OracleContext,
  { experiment }: Canary,
  { canary_units }: CanaryStats,
): Promise<number | null> {
  if (experiment.slow_ms !== null || canary_units < COLD_UNITS) return experiment.slow_ms;
  const now_ms = context.clock.policy_ms();
  return slowThreshold(context.store.db, experiment.agent, { now_ms });
}

/** A worker that was killed between hearing of a withheld arm and acting on it hears of it here. */
async function settleForgotten(context: OracleContext): Promise<void> {
  for (const { experiment } of canariesOf(await context.ledger.view())) {
    for (const { epoch, at_ms, cause, reason } of await withheldOf(
      context.store.db,
      experiment.id,
    )) {
      if (cause === 'expired' && epoch < experiment.epoch) continue;
      const told = { type: 'canary.withheld', v: 1, experiment: experiment.id } as const;
      await settleWithheld(context, { ...told, epoch, at_ms, cause, reason });
    }
  }
}

async function statsOf(
  context: OracleContext,
  { experiment }: Canary,
  policy: Policy,
): Promise<CanaryStats> {
  const { db } = context.store;
  const { id, share } = experiment;
  const now_ms = context.clock.policy_ms();
  const { window_minutes } = policy.oracle.safety.rollback.complaints;
  const cells = await canaryCells(db, id, { now_ms, maturity_ms: MATURITY_MS });
  const freshness = await canaryFreshness(db, id, { share });
  const served = await canaryUnits(db, id, { share });
  const arrivals = await canaryArrivals(db, experiment, { now_ms, since_ms: now_ms - DAY_MS });
  const complaints = await complaintsOf(db, id, { since_ms: now_ms - window_minutes * MINUTE_MS });
  return {
    ...statsInRecord(experiment, now_ms),
    cells,
    ...freshness,
    ...unitsServed(cells, served, share),
    arrivals,
    complaints,
  };
}

/** Cells outlive the events, which are pruned; events know of units that came back into the arm. */
function unitsServed(
  cells: readonly Cell[],
  served: Pick<CanaryStats, 'canary_units' | 'canary_units_at_share'>,
  share: number,
): Pick<CanaryStats, 'canary_units' | 'canary_units_at_share'> {
  const assigned = cells.filter(({ metric, arm }) => metric === 'assigned' && arm === 'canary');
  const sum = (some: readonly Cell[]): number =>
    some.reduce((total, { units }) => total + units, 0);
  const here = assigned.filter((cell) => cell.share === share);
  return {
    canary_units: Math.max(served.canary_units, sum(assigned)),
    canary_units_at_share: Math.max(served.canary_units_at_share, sum(here)),
  };
}

/** Writes the judgement, and the step unless the canary has moved since it was judged. */
function settle(
  context: OracleContext,
  judged: Canary & { readonly slow_ms: number | null },
  judgement: Judgement,
  step: Step | null,
): Promise<Tended> {
  return context.ledger.exclusive(async (commit) => {
    const canary = canariesOf(await context.ledger.view()).find(
      ({ experiment }) => experiment.id === judged.experiment.id,
    );
    const moved = !canary || canary.experiment.epoch !== judged.experiment.epoch;
    if (moved) return tendedOf(judged, judgement, 'none');
    const noted: Canary = {
      row: canary.row,
      experiment: {
        ...canary.experiment,
        slow_ms: judged.slow_ms,
        evidence_max: judgement.harm,
        judgement: judgement as unknown as JsonObject,
      },
    };
    const next = step && stepCanary(noted, step, context.clock.policy_ms());
    if (next) {
      await commitCanary(context, commit, next, step.kind);
      return tendedOf(next, judgement, step.kind);
    }
    const changed = !sameJson(noted.experiment, canary.experiment);
    if (changed) await commit({ experiments: [noted.experiment] });
    return tendedOf(noted, judgement, 'none');
  });
}

function tendedOf({ experiment }: Canary, judgement: Judgement, step: Tended['step']): Tended {
  const { id, state, share } = experiment;
  return { experiment: id, state, share, judgement, step };
}

async function commitCanary(
  context: OracleContext,
  commit: Commit,
  next: Canary,
  step: Step['kind'],
): Promise<void> {
  const { row, experiment } = next;
  await commit({ mutations: [row], experiments: [experiment] });
  const fields = { step, experiment: experiment.id, agent: row.agent, reason: row.reason };
  const alert = step === 'pause' || step === 'expire' || row.state === 'withdrawn';
  if (alert) context.log.warn('canary', fields);
  else context.log.info('canary', { ...fields, share: experiment.share });
}

/**
 * The gateway stopped serving an arm by itself: its row's state now says so. Telling it twice
 * changes nothing: an expiry raises the epoch that it names, and a trigger ends the canary or holds
 * it.
 */
export function settleWithheld(
  context: OracleContext,
  event: CanaryWithheldEvent,
): Promise<boolean> {
  return context.ledger.exclusive(async (commit) => {
    const canary = canariesOf(await context.ledger.view()).find(
      ({ experiment }) => experiment.id === event.experiment,
    );
    if (!canary) return false;
    // A trigger stands, also where a ramp crossed it on the way; an expiry that a newer permit
    // healed does not.
    if (event.cause === 'expired' && event.epoch < canary.experiment.epoch) return false;
    const step = stepOfWithheld(event, context.loaded().policy.switches.auto_rollback);
    const next = stepCanary(canary, step, context.clock.policy_ms());
    if (!next) return false;
    await commitCanary(context, commit, next, step.kind);
    return true;
  });
}

function stepOfWithheld(event: CanaryWithheldEvent, auto_rollback: boolean): Step {
  const { cause, reason } = event;
  if (cause === 'expired') return { kind: 'expire', reason: `the permit expired: ${reason}` };
  if (auto_rollback) return { kind: 'withdraw', reason: `the gateway's trigger: ${reason}` };
  return { kind: 'pause', by: 'hold', reason, withheld: reason };
}
