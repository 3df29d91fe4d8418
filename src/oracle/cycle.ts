import type { JsonObject } from '../core/canonical.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { PlanRecord } from '../core/ledger.ts';
import type { Analysis, GateVerdict, SegmentObservation } from '../core/oracle.ts';
import { sketchQuantile } from '../core/sketch.ts';
import { insertAnalysis, latestFindings, upsertCycle } from '../store/audit-trail.ts';
import { analyze, spanOf } from './analyze.ts';
import { collect, collectDefaults } from './collect.ts';
import type { OracleContext } from './context.ts';
import { executePlan, failedChange } from './execute.ts';
import type { Cycle } from './oracle.ts';
import { currentPlans, expirePlans, movePlan, planFindings, validatePlan } from './plans.ts';
import { tendCanaries } from './tend-canaries.ts';
import { failedForGood, statusOf } from './validate.ts';

/** A cycle as it grows: each stage fills one column. */
export interface RunningCycle {
  id: string;
  state: Cycle['state'];
  started_ms: number;
  ended_ms: number | null;
  stages: Record<string, JsonObject>;
}

export function newCycle(context: OracleContext): RunningCycle {
  const started_ms = context.clock.policy_ms();
  const id = context.createId('cycle');
  return { id, state: 'running', started_ms, ended_ms: null, stages: {} };
}

/**
 * collect → analyze → decide → validate → execute → monitor, once. Never rejects: a cycle can fail.
 */
export async function runCycle(context: OracleContext, cycle: RunningCycle): Promise<Cycle> {
  const start_ms = context.clock.monotonic_ms();
  let stage = 'collect';
  const stages: [string, () => Promise<JsonObject>][] = stagesOf(context);
  try {
    for (const [name, run] of stages) {
      stage = name;
      cycle.stages[name] = await run();
    }
    cycle.state = 'done';
  } catch (thrown) {
    cycle.state = 'failed';
    cycle.stages[stage] = { error: messageOf(thrown) };
    context.log.error('a cycle failed', { cycle: cycle.id, stage, error: messageOf(thrown) });
  }
  cycle.ended_ms = context.clock.policy_ms();
  context.metrics.add('hive_cycles_total', [cycle.state]);
  context.metrics.observe('hive_cycle_seconds', (context.clock.monotonic_ms() - start_ms) / 1000);
  try {
    await upsertCycle(context.store.db, { ...cycle });
  } catch (thrown) {
    context.log.error('a cycle was not written', { cycle: cycle.id, error: messageOf(thrown) });
  }
  return cycle;
}

function stagesOf(context: OracleContext): [string, () => Promise<JsonObject>][] {
  let analysis: Analysis | null = null;
  let observation: Awaited<ReturnType<typeof collect>>;
  let passed: readonly PlanRecord[] = [];
  return [
    [
      'collect',
      async () => {
        observation = await collect(context, collectDefaults(context.loaded().policy));
        const { at_ms, window, version, frozen } = observation;
        const [segments, past] = [observation.segments, observation.past].map(summaryOf);
        return json({ at_ms, window, version, frozen, segments, past });
      },
    ],
    [
      'analyze',
      async () => {
        const previous = await latestFindings(context.store.db, spanOf(observation.window));
        analysis = analyze(observation, context.detect, context.createId, previous);
        await keepAnalysis(context, analysis);
        return json(analysis);
      },
    ],
    [
      'decide',
      async () => {
        await expirePlans(context);
        const findings = analysis?.findings ?? [];
        const result = await planFindings(context, findings, analysis?.id ?? null, false);
        return json({ ...result, made: result.made.map(({ id }) => id) });
      },
    ],
    [
      'validate',
      async () => {
        const result = await validateOpen(context);
        passed = result.passed;
        return json({ plans: result.told });
      },
    ],
    ['execute', () => executeAll(context, passed)],
    ['monitor', async () => json({ canaries: await tendCanaries(context) })],
  ];
}

/** Cells in a cycle's row: there is one a minute, so it holds agents and targets, in short. */
const SEGMENTS_TOLD_MAX = 32;

function summaryOf(segments: readonly SegmentObservation[]): readonly object[] {
  return segments
    .filter(
      ({ segment: { tenant = null, category = null } }) => tenant === null && category === null,
    )
    .slice(0, SEGMENTS_TOLD_MAX)
    .map(({ segment, calls, users, rates, ratings, rating_by_unit, quantities }) => ({
      segment,
      calls,
      users,
      rates,
      ratings,
      rating_by_unit,
      quantities: Object.fromEntries(
        Object.entries(quantities).map(([name, sketch]) => [
          name,
          { n: sketch.count, p50: sketchQuantile(sketch, 0.5), p95: sketchQuantile(sketch, 0.95) },
        ]),
      ),
    }));
}

async function keepAnalysis(context: OracleContext, analysis: Analysis): Promise<void> {
  for (const { detector, severity } of analysis.findings) {
    context.metrics.add('hive_findings_total', [detector, severity]);
  }
  const { db } = context.store;
  // One without findings is in the cycle's column already, unless it ends what stood before.
  const { findings, window } = analysis;
  const ends = findings.length === 0 && (await latestFindings(db, spanOf(window))).length > 0;
  if (findings.length > 0 || ends) await insertAnalysis(db, analysis);
}

interface Validated {
  readonly passed: readonly PlanRecord[];
  readonly told: readonly {
    plan: string;
    status: string;
    verdicts: readonly GateVerdict[];
  }[];
}

/**
 * The oracle's own proposals and what people approved. A person's own plan is executed by that
 * person. What only time stands against stays open and is asked again.
 */
async function validateOpen(context: OracleContext): Promise<Validated> {
  const passed: PlanRecord[] = [];
  const told: { plan: string; status: string; verdicts: readonly GateVerdict[] }[] = [];
  for (const plan of await currentPlans(context)) {
    const own = plan.origin === 'oracle' && plan.state === 'proposed';
    if (!own && plan.state !== 'approved') continue;
    const verdicts = await validatePlan(context, plan);
    const status = statusOf(verdicts);
    told.push({ plan: plan.id, status, verdicts });
    if (status === 'passed') passed.push(plan);
    else if (status === 'needs_approval') await movePlan(context, plan.id, 'needs_approval');
    else if (failedForGood(verdicts)) await failPlan(context, plan, verdicts);
  }
  return { passed, told };
}

function failPlan(
  context: OracleContext,
  plan: PlanRecord,
  verdicts: readonly GateVerdict[],
): Promise<void> {
  return context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    await commit(failedChange(plan, verdicts, view, context.clock.policy_ms()));
  });
}

async function executeAll(
  context: OracleContext,
  plans: readonly PlanRecord[],
): Promise<JsonObject> {
  if (context.frozen()) return { frozen: true, executed: [] };
  const executed: JsonObject[] = [];
  for (const plan of plans) {
    try {
      executed.push(json(await executePlan(context, plan.id)));
    } catch (thrown) {
      // One plan's refusal is its own; anything unforeseen ends the cycle.
      if (!(thrown instanceof GatewayError)) throw thrown;
      executed.push({ plan_id: plan.id, refused: thrown.message });
    }
  }
  return { executed };
}

function json(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
