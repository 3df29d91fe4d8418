import { slowAbove } from '../core/canary.ts';
import type { JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import type { Observation, SegmentObservation, Window } from '../core/oracle.ts';
import type { Policy } from '../core/policy.ts';
import { sketchQuantile } from '../core/sketch.ts';
import type { Observed } from '../store/observe.ts';
import { writeSlowBar } from '../store/read-rollups.ts';
import { frozenAgents, lastChanges } from './changes.ts';
import type { OracleContext } from './context.ts';
import { loadsOf } from './loads.ts';
import { provenOf } from './proven.ts';
import { inForceOf } from './records.ts';

export interface CollectInput {
  readonly window_hours: number;
  readonly event_limit: number;
}

const HOUR_MS = 3_600_000;

/**
 * Reads the rollups once all that was journalled is in them. The window of an agent begins no
 * earlier than its last change: what users said of the policy before is no evidence against the one
 * in force.
 */
export async function collect(context: OracleContext, input: CollectInput): Promise<Observation> {
  await context.drain();
  const at_ms = context.clock.policy_ms();
  const { rows, ab = [] } = await context.ledger.view();
  const { version, policy } = inForceOf(context.loaded(), rows);
  const window: Window = { from_ms: at_ms - input.window_hours * HOUR_MS, to_ms: at_ms };
  const since_ms = lastChanges(rows, policy);
  const { event_limit } = input;
  const seen = await context.observer.observe({ window, event_limit, since_ms });
  const known = ({ segment }: { readonly segment: { readonly agent: string } }): boolean =>
    Object.hasOwn(policy.agents, segment.agent);
  const segments = seen.segments.filter(known);
  const proven = provenOf(policy, ab, context.routers?.() ?? []).filter(known);
  await fixSlowBars(context, segments, { at_ms, since_ms, bars: seen.slow_bars });
  return {
    at_ms,
    window,
    version,
    segments,
    past: seen.past.filter(known),
    halves: [seen.halves[0].filter(known), seen.halves[1].filter(known)],
    series: seen.series.filter(known),
    loads: loadsOf(policy, segments, seen.adapters),
    ...(proven.length > 0 ? { proven } : {}),
    frozen: frozenAgents(rows, policy, at_ms),
    thresholds: policy.oracle.thresholds,
  };
}

/**
 * Fixes above which latency an agent's calls count as slow: max(1.25 × p95, p95 + 50 ms) of its
 * answered calls in the window. It stands until the agent changes, so that rates of a day and of
 * the week before mean the same.
 */
async function fixSlowBars(
  { store }: OracleContext,
  segments: readonly SegmentObservation[],
  now: {
    readonly at_ms: number;
    readonly since_ms: Readonly<Record<string, number>>;
    readonly bars: Observed['slow_bars'];
  },
): Promise<void> {
  for (const { segment, quantities } of segments) {
    const { agent, target, tenant = null, category = null } = segment;
    if (target !== null || tenant !== null || category !== null) continue;
    const bar = now.bars.get(agent);
    if (bar && bar.since_ms >= (now.since_ms[agent] ?? 0)) continue;
    const latency = quantities.latency_ms;
    if (latency === undefined) continue;
    const slow_ms = slowAbove(sketchQuantile(latency, 0.95), latency.count);
    if (slow_ms === null) continue;
    await writeSlowBar(store.db, agent, { slow_ms, since_ms: now.at_ms });
  }
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
