import type { Load } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { Fact } from './facts.ts';

/** How the calls of a window fell on agents, and on the targets and adapters of each. */
export function loadsOf(facts: readonly Fact[], policy: Policy): readonly Load[] {
  const calls = facts.filter(({ is_call }) => is_call);
  const agents = countOf(
    Object.keys(policy.agents),
    calls.map(({ agent }) => agent),
  );
  const loads: Load[] = [{ kind: 'agent', agent: null, calls: agents, expected: null }];
  for (const [agent, entry] of Object.entries(policy.agents)) {
    const own = calls.filter((fact) => fact.agent === agent);
    const targets = own.flatMap(({ target }) => target ?? []);
    loads.push({
      kind: 'target',
      agent,
      calls: countOf(Object.keys(entry.targets), targets),
      expected: sharesOf(entry.targets),
    });
    const adapters = own.flatMap(({ adapter }) => adapter ?? []);
    if (entry.adapter === 'none' && adapters.length === 0) continue;
    const named = entry.adapter === 'none' ? [] : [entry.adapter];
    loads.push({ kind: 'adapter', agent, calls: countOf(named, adapters), expected: null });
  }
  return loads;
}

function countOf(names: readonly string[], found: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  for (const name of found) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function sharesOf(weights: Readonly<Record<string, number>>): Record<string, number> {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const names = Object.keys(weights);
  return Object.fromEntries(
    names.map((name) => [name, total > 0 ? (weights[name] ?? 0) / total : 1 / names.length]),
  );
}
