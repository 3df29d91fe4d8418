import type { AgentPlan, Snapshot } from '../config/snapshot.ts';
import type { Call } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { inShare } from '../core/unit.ts';
import type { Permits } from './permits.ts';

/** The plan that a call is served by, and the experiment that it counts in. */
export interface Assignment {
  readonly plan: AgentPlan;
  readonly version: string;
  readonly experiment: string | null;
  readonly arm: 'canary' | 'control' | null;
  readonly share: number | null;
}

/**
 * Draws the arm by the unit's hash. A pinned call carries no experiment: its client chose. Nor does
 * one whose canary is paused or has no permit, so that the test skips it.
 */
export function assignArm(call: Call, snapshot: Snapshot, permits: Permits): Assignment {
  const plan = snapshot.agents.get(call.agent);
  if (!plan) throw new GatewayError('unknown_agent', `There is no agent ${call.agent}.`);
  const main = { plan, version: snapshot.version, experiment: null, arm: null, share: null };
  const compiled = snapshot.experiments.get(call.agent);
  if (!compiled || call.pinned !== null || compiled.experiment.state !== 'canary') return main;
  const { experiment } = compiled;
  const share = permits.shareOf(experiment);
  if (share <= 0) return main;
  if (!inShare(experiment.id, call.unit, share)) {
    return { ...main, experiment: experiment.id, arm: 'control', share };
  }
  const canary = compiled.plan;
  return {
    plan: canary,
    version: canary.version,
    experiment: experiment.id,
    arm: 'canary',
    share,
  };
}
