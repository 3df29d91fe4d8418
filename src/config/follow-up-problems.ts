import type { Policy } from '../core/policy.ts';
import { missing, own, type PolicyProblem } from './references.ts';

/** What `follow_ups` names and is not there, or could never come of it. */
export function followUpProblems(policy: Policy): readonly PolicyProblem[] {
  const asked = policy.oracle.follow_ups;
  if (!asked) return [];
  const at = ['oracle', 'follow_ups'];
  const problems: PolicyProblem[] = [];
  if (!own(policy.targets, asked.target)) {
    problems.push(missing([...at, 'target'], 'target', asked.target, policy.targets));
  }
  for (const [index, name] of (asked.agents ?? []).entries()) {
    if (own(policy.agents, name)) continue;
    problems.push(missing([...at, 'agents', String(index)], 'agent', name, policy.agents));
  }
  if (policy.capture.bodies === undefined) {
    const message = 'a model has no turns to classify: set capture.bodies in gateway.yaml';
    problems.push({ tokens: at, message });
  }
  return problems;
}
