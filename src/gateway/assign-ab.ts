import type { CompiledAb } from '../config/snapshot.ts';
import { drawArm, unitOfCall } from '../core/ab/entry.ts';
import type { Call } from '../core/call.ts';
import type { Assignment } from './assignment.ts';
import type { Permits } from './permits.ts';

/**
 * Draws the arm of an A/B experiment. A pinned call is in none: its client chose. Nor is one
 * without the unit that is drawn, one that the shares leave over, or one of an arm that was
 * dropped. Where the worker does not watch every arm none is served, control included, since its
 * units alone would be no comparison.
 */
export function assignAb(
  main: Assignment,
  call: Call,
  { run, unit, arms, stopped }: CompiledAb,
  permits: Permits,
): Assignment {
  if (call.pinned !== null) return main;
  if (stopped) return { ...main, plan: stopped, version: stopped.version };
  const drawn = unitOfCall(unit, call);
  if (drawn === null) return main;
  for (const { permit } of arms) if (permit && permits.shareOf(permit) <= 0) return main;
  const arm = drawArm(run, drawn, arms);
  if (arm === null) return main;
  const { name, share, plan } = arm;
  if (plan) return { plan, version: plan.version, experiment: run, arm: name, share };
  return name === 'control' ? { ...main, experiment: run, arm: name, share } : main;
}
