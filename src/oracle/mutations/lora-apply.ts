import { z } from 'zod';
import { sameJson } from '../../core/canonical.ts';
import type { Change, Finding, MutationDefinition, Tried } from '../../core/oracle.ts';
import { matchesPattern } from '../../core/pointer.ts';
import type { Policy } from '../../core/policy.ts';

const options = z.strictObject({});

/** Which adapter the agent's answers come through. An adapter may change everything: high risk. */
export const definition: MutationDefinition<z.infer<typeof options>> = {
  name: 'lora-apply',
  summary: 'Applies a LoRA adapter to an agent’s answers, or takes it off.',
  options,
  create: () => ({ type: 'LORA_APPLY', paths: ['/agents/*/adapter'], risk: 'high', propose }),
};

/** The first adapter of the bounds that a target of the agent has, and that was not yet tried. */
function propose(finding: Finding, { policy, tried }: Tried): Change | null {
  if (finding.metric !== 'dissatisfied' || !policy.switches.lora_hotplug) return null;
  const { agent } = finding.segment;
  const entry = policy.agents[agent];
  if (!entry) return null;
  const available = adaptersOf(policy, agent);
  for (const adapter of allowedFor(policy, `/agents/${agent}/adapter`)) {
    if (adapter === entry.adapter || !available.has(adapter)) continue;
    const patch = { agents: { [agent]: { adapter } } };
    if (tried.some((earlier) => sameJson(earlier, patch))) continue;
    return { patch, why: `Adapter ${adapter} has not been tried on this agent yet.` };
  }
  return null;
}

function allowedFor(policy: Policy, pointer: string): readonly string[] {
  const bound = Object.entries(policy.oracle.bounds).find(([pattern]) =>
    matchesPattern(pattern, pointer),
  );
  return bound?.[1].allow ?? [];
}

/** Adapters that the provider of any of the agent's targets names. */
function adaptersOf(policy: Policy, agent: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const target of Object.keys(policy.agents[agent]?.targets ?? {})) {
    const provider = policy.providers[policy.targets[target]?.provider ?? ''];
    const adapters = provider?.adapters;
    if (adapters === null || typeof adapters !== 'object') continue;
    const listed = Array.isArray(adapters) ? adapters.map(String) : Object.keys(adapters);
    for (const name of listed) names.add(name);
  }
  return names;
}
