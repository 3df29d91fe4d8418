import type { JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import type { MutationRecord } from '../core/ledger.ts';
import type { Observation, SegmentObservation, Window } from '../core/oracle.ts';
import type { Policy } from '../core/policy.ts';
import { observeSegments, type SegmentStats } from '../store/observe.ts';
import type { OracleContext } from './context.ts';
import { inForceOf } from './records.ts';

export interface CollectInput {
  readonly window_hours: number;
  readonly event_limit: number;
}

const HOUR_MS = 3_600_000;
const PAST_MS = 7 * 24 * HOUR_MS;

/**
 * Reads the rollups once all that was journalled is in them. The window of an agent begins no
 * earlier than its last change: what users said of the policy before is no evidence against the one
 * in force.
 */
export async function collect(context: OracleContext, input: CollectInput): Promise<Observation> {
  await context.drain();
  const at_ms = context.clock.policy_ms();
  const { rows } = await context.ledger.view();
  const { version, policy } = inForceOf(context.loaded(), rows);
  const window: Window = { from_ms: at_ms - input.window_hours * HOUR_MS, to_ms: at_ms };
  const past: Window = { from_ms: window.from_ms - PAST_MS, to_ms: window.from_ms };
  const { event_limit } = input;
  const { db } = context.store;
  const since_ms = lastChanges(rows);
  const segments = await observeSegments(db, { window, event_limit, since_ms });
  const before = await observeSegments(db, { window: past, event_limit: 0 });
  const known = ({ segment }: { segment: { agent: string } }): boolean =>
    Object.hasOwn(policy.agents, segment.agent);
  return {
    at_ms,
    window,
    version,
    segments: segments.filter(known).map(observationOf),
    past: before.filter(known).map(observationOf),
    halves: [[], []],
    series: [],
    loads: [],
    frozen: frozenAgents(rows),
    thresholds: policy.oracle.thresholds,
  };
}

function observationOf(stats: SegmentStats): SegmentObservation {
  const { units } = stats;
  return {
    segment: stats.segment,
    calls: stats.calls,
    users: Math.min(units, stats.calls),
    rates: {
      error: { units, events: stats.units_error },
      abort: { units, events: stats.units_abort },
      dissatisfied: { units: stats.units_rated, events: stats.units_dissatisfied },
    },
    quantities: {},
    ratings: stats.ratings,
    rating_by_unit: null,
    by_tenant: [],
    errors_by_class: {},
    evidence: stats.evidence,
  };
}

/** Agents with an experiment: what their users meet is not the main plan alone. */
function frozenAgents(rows: readonly MutationRecord[]): readonly string[] {
  const live = rows.filter(({ state }) => state === 'canary' || state === 'paused');
  return [...new Set(live.map(({ agent }) => agent))].sort();
}

/**
 * When each agent's main plan last changed: a promotion, or the withdrawal of what was promoted.
 */
function lastChanges(rows: readonly MutationRecord[]): Record<string, number> {
  const changes: Record<string, number> = {};
  for (const { agent, applied_ms, ended_ms } of rows) {
    if (applied_ms === null) continue;
    changes[agent] = Math.max(changes[agent] ?? 0, applied_ms, ended_ms ?? 0);
  }
  return changes;
}

/** The options that `pipeline.yaml` gives a stage. */
export function stageOptions(policy: Policy, stage: string): JsonObject {
  const entry = policy.pipeline.stages.by[stage] ?? {};
  const { options } = entry;
  return isObject(options) ? options : entry;
}

export function collectDefaults(policy: Policy): CollectInput {
  const { window_hours, event_limit } = stageOptions(policy, 'collect');
  return {
    window_hours: typeof window_hours === 'number' ? window_hours : 24,
    event_limit: typeof event_limit === 'number' ? event_limit : 100_000,
  };
}
