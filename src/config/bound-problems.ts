import { parsePointer } from '../core/pointer.ts';
import type { Bound, Policy } from '../core/policy.ts';
import { missing, own, type PolicyProblem, promptReferenceProblems } from './references.ts';
import { didYouMean } from './suggest.ts';

const KNOBS = ['targets', 'prompt', 'adapter', 'params', 'plugins'];

/** Bounds of knobs that do not exist, or that allow what is not there. */
export function boundProblems(
  policy: Policy,
  adapters: readonly string[],
): readonly PolicyProblem[] {
  return Object.entries(policy.oracle.bounds).flatMap(([pattern, bound]) => {
    const at = ['oracle', 'bounds', pattern];
    const problem = patternProblem(policy, pattern);
    if (problem !== null) return [{ tokens: at, message: problem, key: true }];
    return boundReferenceProblems(policy, bound, adapters, at);
  });
}

function patternProblem(policy: Policy, pattern: string): string | null {
  if (!pattern.startsWith('/')) return 'not a JSON pointer: it begins with /';
  const [root, agent = '', knob = '', ...rest] = parsePointer(pattern);
  if (root !== 'agents') return 'only knobs of agents can be moved: /agents/<agent or *>/…';
  if (agent !== '*' && !own(policy.agents, agent)) {
    return `there is no agent ${agent}; ${didYouMean(agent, Object.keys(policy.agents))}`;
  }
  if (!KNOBS.includes(knob)) return `no knob ${knob}; ${didYouMean(knob, KNOBS)}`;
  const deep = knob === 'params' ? 1 : knob === 'plugins' ? 2 : 0;
  if (deep === 0 ? rest.length === 0 : rest.length >= deep) return null;
  return deep === 0 ? `${knob} has no parts that are bounded` : `name what below ${knob} may move`;
}

function boundReferenceProblems(
  policy: Policy,
  bound: Bound,
  adapters: readonly string[],
  at: readonly string[],
): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  for (const name of bound.add_from ?? []) {
    if (own(policy.targets, name)) continue;
    problems.push(missing([...at, 'add_from'], 'target', name, policy.targets));
  }
  for (const reference of bound.candidates ?? []) {
    problems.push(...promptReferenceProblems(policy, reference, [...at, 'candidates']));
  }
  for (const name of bound.allow ?? []) {
    if (name === 'none' || adapters.includes(name)) continue;
    const message = `no provider has the adapter ${name}; ${didYouMean(name, adapters)}`;
    problems.push({ tokens: [...at, 'allow'], message });
  }
  if (bound.min !== undefined && bound.max !== undefined && bound.min > bound.max) {
    problems.push({ tokens: [...at, 'min'], message: `min ${bound.min} exceeds max ${bound.max}` });
  }
  return problems;
}
