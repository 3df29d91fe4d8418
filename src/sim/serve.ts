import type { ExperimentRecord } from '../core/ledger.ts';
import type { AgentEntry, Policy } from '../core/policy.ts';
import { inShare, pickAt, unitFraction } from '../core/unit.ts';
import type { Served } from './models.ts';

/** What the gateway would serve: a policy, and the canary arm of each agent that is in one. */
export interface InForce {
  readonly version: string;
  readonly policy: Policy;
  readonly arms: ReadonlyMap<string, CanaryArm>;
}

export interface CanaryArm {
  readonly experiment: Pick<ExperimentRecord, 'id' | 'share' | 'slow_ms'>;
  readonly version: string;
  readonly policy: Policy;
}

export interface Assigned extends Served {
  readonly version: string;
  readonly experiment: string | null;
  readonly arm: 'canary' | 'control' | null;
  readonly share: number | null;
}

/** The choice for a unit, drawn as the gateway draws: the arm first, then the target. Pure. */
export function assign(now: InForce, agent: string, unit: string): Assigned {
  const arm = now.arms.get(agent);
  const none = { version: now.version, experiment: null, arm: null, share: null };
  if (!arm) return { ...none, ...servedBy(now.policy, agent, unit) };
  const { id, share } = arm.experiment;
  if (!inShare(id, unit, share)) {
    const control = { ...none, experiment: id, arm: 'control' as const, share };
    return { ...control, ...servedBy(now.policy, agent, unit) };
  }
  const canary = { version: arm.version, experiment: id, arm: 'canary' as const, share };
  return { ...canary, ...servedBy(arm.policy, agent, unit) };
}

function servedBy(policy: Policy, agent: string, unit: string): Served {
  const entry = policy.agents[agent];
  if (!entry) throw new RangeError(`there is no agent ${agent}`);
  return servedAs(entry, targetOf(entry, agent, unit));
}

/** One model of an agent, with the agent's prompt and adapter. */
export function servedAs(entry: AgentEntry, model: string): Served {
  const adapter = entry.adapter === 'none' ? null : entry.adapter;
  return { model, prompt: entry.prompt ?? null, adapter };
}

/** As the model-router's plain weights choose: by the unit's hash, so a unit keeps its target. */
function targetOf(entry: AgentEntry, agent: string, unit: string): string {
  const names = Object.keys(entry.targets).sort();
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const weights = names.map((name) => entry.targets[name] ?? 0);
  const index = pickAt(unitFraction(`model-router:${agent}:0`, unit), weights);
  const name = names[index];
  if (name === undefined) throw new RangeError(`agent ${agent} has no target`);
  return name;
}
