import type { Snapshot } from '../../config/snapshot.ts';
import type { Call } from '../../core/call.ts';
import { GatewayError } from '../../core/errors.ts';
import { inShare } from '../../core/unit.ts';
import { assignAb } from './assign-ab.ts';
import type { Assignment } from './assignment.ts';
import type { Permits } from './permits.ts';

export type { Assignment } from './assignment.ts';

/**
 * Draws the arm by the unit's hash. A pinned call carries no experiment: its client chose. Nor does
 * one whose canary is paused or has no permit, so that the test skips it. Where an agent has a
 * canary, its A/B experiment rests: a call is in one experiment at most, so that none confounds
 * another.
 */
export function assignArm(call: Call, snapshot: Snapshot, permits: Permits): Assignment {
  const plan = snapshot.agents.get(call.agent);
  if (!plan) throw new GatewayError('unknown_agent', `There is no agent ${call.agent}.`);
  const main: Assignment = {
    plan,
    version: snapshot.version,
    experiment: null,
    arm: null,
    share: null,
  };
  const compiled = snapshot.experiments.get(call.agent);
  if (!compiled) {
    return snapshot.ab.size === 0 ? main : assignAb(main, call, { snapshot, permits });
  }
  if (call.pinned !== null || compiled.experiment.state !== 'canary') return main;
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
