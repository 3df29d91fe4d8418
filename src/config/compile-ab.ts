import { armPolicy, runIdOf } from '../core/ab/arm-policy.ts';
import { type AbEntry, armKey, armsOf, CONTROL_ARM } from '../core/ab/entry.ts';
import type { Policy } from '../core/policy.ts';
import type { AbRun, Experiment, State } from '../core/state.ts';
import { deepFreeze } from './freeze.ts';
import type { AgentPlan, CompiledAb, CompiledAbArm } from './snapshot.ts';

export type Planner = (policy: Policy, agent: string) => AgentPlan;

/**
 * The experiments that are served: those of the policy whose run the worker has opened. One with an
 * arm that does not compile, or that no target of is present, is left out whole, so its agent
 * serves all calls as it is; nothing of it can fail a call.
 */
export function compileAb(
  policy: Policy,
  state: State,
  planner: Planner,
): ReadonlyMap<string, CompiledAb> {
  const compiled = new Map<string, CompiledAb>();
  for (const [name, entry] of Object.entries(policy.experiments ?? {})) {
    const id = runIdOf(name, entry, policy.prompts);
    const run = state.ab?.find((one) => one.id === id);
    const made = run && compileRun(policy, entry, run, planner);
    if (made) compiled.set(entry.agent, Object.freeze(made));
  }
  return compiled;
}

function compileRun(
  policy: Policy,
  entry: AbEntry,
  run: AbRun,
  planner: Planner,
): CompiledAb | null {
  const planOf = (arm: string): AgentPlan | null => planned(policy, entry, arm, planner);
  const { unit, on_stop } = entry;
  if (run.state === 'stopped') {
    const stopped = on_stop === CONTROL_ARM ? null : planOf(on_stop);
    return stopped && { run: run.id, unit, arms: [], stopped };
  }
  const arms: CompiledAbArm[] = [];
  for (const [name, { share }] of armsOf(entry)) {
    if (name === CONTROL_ARM || run.dropped.includes(name)) {
      arms.push({ name, share, plan: null, permit: null });
      continue;
    }
    const plan = planOf(name);
    if (!plan) return null;
    const { id, epoch } = run;
    // Permits know an arm as they know a canary, which has a row of the ledger beside it.
    const permit: Experiment = {
      id: armKey(id, name),
      agent: entry.agent,
      row: '',
      state: 'canary',
      epoch,
    };
    arms.push({ name, share, plan, permit });
  }
  return { run: run.id, unit, arms, stopped: null };
}

/** Null where it could not answer: the loader refuses such arms, a later edit may make one. */
function planned(policy: Policy, entry: AbEntry, arm: string, planner: Planner): AgentPlan | null {
  try {
    const plan = planner(deepFreeze(armPolicy(policy, entry, arm)), entry.agent);
    return plan.view.targets.length > 0 ? plan : null;
  } catch {
    return null;
  }
}
