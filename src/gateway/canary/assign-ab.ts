import type { AgentPlan, Snapshot } from '../../config/snapshot.ts';
import { drawArm, unitOfCall } from '../../core/ab/entry.ts';
import type { Call } from '../../core/call.ts';
import type { Assignment } from './assignment.ts';
import type { Permits } from './permits.ts';

/**
 * Draws the arm of an A/B experiment. A pinned call is in none: its client chose. Nor is one
 * without the unit that is drawn, one that the shares leave over, one of an arm that was dropped,
 * or one whose endpoint an arm does not serve. Where the worker does not watch every arm none is
 * served, control included, since its units alone would be no comparison.
 */
export function assignAb(
  main: Assignment,
  call: Call,
  { snapshot, permits }: { readonly snapshot: Snapshot; readonly permits: Permits },
): Assignment {
  const ab = snapshot.ab.get(call.agent);
  if (ab === undefined || call.pinned !== null) return main;
  const { run, unit, arms, stopped } = ab;
  if (stopped && !serves(stopped, call, snapshot)) return main;
  if (stopped) return { ...main, plan: stopped, version: stopped.version };
  const drawn = unitOfCall(unit, call);
  if (drawn === null) return main;
  for (const { permit, plan } of arms) {
    if (permit && permits.shareOf(permit) <= 0) return main;
    if (plan && !serves(plan, call, snapshot)) return main;
  }
  const arm = drawArm(run, drawn, arms);
  if (arm === null) return main;
  const { name, share, plan } = arm;
  if (plan) return { plan, version: plan.version, experiment: run, arm: name, share };
  return name === 'control' ? { ...main, experiment: run, arm: name, share } : main;
}

function serves({ view }: AgentPlan, { endpoint }: Call, { targets }: Snapshot): boolean {
  return view.targets.some(({ name }) => targets.get(name)?.provider.endpoints.includes(endpoint));
}
