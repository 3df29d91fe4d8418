import type { JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import type { MutationRecord } from '../core/ledger.ts';
import type { Observation, Window } from '../core/oracle.ts';
import type { Policy } from '../core/policy.ts';
import { agentsMovedBy, isPromptRow } from '../core/prompt/rows.ts';
import { observeSegments } from '../store/observe.ts';
import type { OracleContext } from './context.ts';
import { inForceOf } from './ledger.ts';

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
  const since_ms = lastChanges(rows, policy);
  const segments = await observeSegments(db, { window, event_limit, since_ms });
  const before = await observeSegments(db, { window: past, event_limit: 0 });
  const known = ({ segment }: { segment: { agent: string } }): boolean =>
    Object.hasOwn(policy.agents, segment.agent);
  return {
    at_ms,
    window,
    version,
    segments: segments.filter(known),
    past: before.filter(known),
    thresholds: policy.oracle.thresholds,
  };
}

/**
 * When each agent's main plan last changed: a promotion, or the withdrawal of what was promoted.
 */
function lastChanges(rows: readonly MutationRecord[], policy: Policy): Record<string, number> {
  const changes: Record<string, number> = {};
  for (const row of rows) {
    const { applied_ms, ended_ms } = row;
    if (applied_ms === null) continue;
    for (const agent of isPromptRow(row) ? agentsMovedBy(row, policy) : [row.agent]) {
      changes[agent] = Math.max(changes[agent] ?? 0, applied_ms, ended_ms ?? 0);
    }
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
