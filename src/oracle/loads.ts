import type { Load, SegmentObservation } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';

/**
 * How the window's calls fall on agents, and of each agent on its targets and adapters; also on
 * those that the policy names and nobody came to.
 */
export function loadsOf(
  policy: Policy,
  segments: readonly SegmentObservation[],
  adapters: ReadonlyMap<string, Readonly<Record<string, number>>>,
): readonly Load[] {
  const names = Object.keys(policy.agents).sort();
  const byAgent = Object.fromEntries(names.map((agent) => [agent, callsTo(segments, agent, null)]));
  const agents: Load = { kind: 'agent', agent: null, calls: byAgent, expected: null };
  return [
    agents,
    ...names.flatMap((agent) => [
      targetLoad(policy, agent, segments),
      adapterLoad(policy, agent, adapters.get(agent) ?? {}),
    ]),
  ];
}

function callsTo(
  segments: readonly SegmentObservation[],
  agent: string,
  target: string | null,
): number {
  const found = segments.find(
    ({ segment }) =>
      segment.agent === agent &&
      segment.target === target &&
      (segment.tenant ?? null) === null &&
      (segment.category ?? null) === null,
  );
  return found?.calls ?? 0;
}

function targetLoad(policy: Policy, agent: string, segments: readonly SegmentObservation[]): Load {
  const weights = policy.agents[agent]?.targets ?? {};
  const served = segments
    .filter(({ segment }) => segment.agent === agent)
    .flatMap(({ segment }) => segment.target ?? []);
  const names = [...new Set([...Object.keys(weights), ...served])].sort();
  const calls = Object.fromEntries(names.map((name) => [name, callsTo(segments, agent, name)]));
  return { kind: 'target', agent, calls, expected: expectedOf(policy, weights) };
}

/** Who is a fallback only gets nothing while the others live; without weights nobody can say. */
function expectedOf(policy: Policy, weights: Readonly<Record<string, number>>): Load['expected'] {
  const own = Object.entries(weights).map(([name, weight]) => {
    const isFallback = policy.targets[name]?.fallback_only ?? false;
    return [name, isFallback ? 0 : weight] as const;
  });
  const total = own.reduce((sum, [, weight]) => sum + weight, 0);
  if (total <= 0) return null;
  return Object.fromEntries(own.map(([name, weight]) => [name, weight / total]));
}

function adapterLoad(policy: Policy, agent: string, calls: Readonly<Record<string, number>>): Load {
  const known = Object.keys(policy.agents[agent]?.targets ?? {}).flatMap((target) => {
    const provider = policy.providers[policy.targets[target]?.provider ?? ''];
    const adapters = provider?.adapters;
    // Names alone, or names with what each is.
    if (Array.isArray(adapters)) return (adapters as readonly unknown[]).map(String);
    return typeof adapters === 'object' && adapters !== null ? Object.keys(adapters) : [];
  });
  const none = Object.fromEntries(['none', ...known].sort().map((name) => [name, 0]));
  return { kind: 'adapter', agent, calls: { ...none, ...calls }, expected: null };
}
