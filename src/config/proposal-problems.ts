import type { Policy } from '../core/policy.ts';
import { missing, own, type PolicyProblem } from './references.ts';

/** What `proposals.prompt` names and is not there, or could never come of it. */
export function proposalProblems(policy: Policy): readonly PolicyProblem[] {
  const asked = policy.oracle.proposals?.prompt;
  if (!asked) return [];
  const at = ['oracle', 'proposals', 'prompt'];
  const problems: PolicyProblem[] = [];
  for (const key of ['target', 'judge'] as const) {
    const name = asked[key];
    if (name === undefined || own(policy.targets, name)) continue;
    problems.push(missing([...at, key], 'target', name, policy.targets));
  }
  if (asked.agent !== undefined && !own(policy.agents, asked.agent)) {
    problems.push(missing([...at, 'agent'], 'agent', asked.agent, policy.agents));
  }
  for (const [index, name] of (asked.agents ?? []).entries()) {
    if (own(policy.agents, name)) continue;
    problems.push(missing([...at, 'agents', String(index)], 'agent', name, policy.agents));
  }
  if (policy.capture.bodies === undefined) {
    const message = 'a model has nothing to reflect on: set capture.bodies in gateway.yaml';
    problems.push({ tokens: at, message });
  }
  return problems;
}
