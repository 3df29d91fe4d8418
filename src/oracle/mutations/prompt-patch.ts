import { z } from 'zod';
import { sameJson } from '../../core/canonical.ts';
import type { Change, Finding, MutationDefinition, Tried } from '../../core/oracle.ts';
import { matchesPattern } from '../../core/pointer.ts';
import { promptVersionOf } from '../../core/policy.ts';

const options = z.strictObject({});

/** Which prompt patch the agent's calls get. Words steer everything that follows: high risk. */
export const definition: MutationDefinition<z.infer<typeof options>> = {
  name: 'prompt-patch',
  summary: 'Pins an agent’s prompt patch to one version.',
  options,
  create: () => ({ type: 'PROMPT_PATCH', paths: ['/agents/*/prompt'], risk: 'high', propose }),
};

/**
 * The first candidate of the bounds that exists, is not in force, and was not yet tried. What is
 * proposed is pinned to a version: a candidate that is a label is tried again once it has moved.
 */
function propose(finding: Finding, { policy, tried }: Tried): Change | null {
  if (finding.metric !== 'dissatisfied') return null;
  const { agent } = finding.segment;
  const entry = policy.agents[agent];
  if (!entry) return null;
  const pointer = `/agents/${agent}/prompt`;
  const bound = Object.entries(policy.oracle.bounds).find(([pattern]) =>
    matchesPattern(pattern, pointer),
  );
  const inForce = entry.prompt === undefined ? null : promptVersionOf(policy.prompts, entry.prompt);
  for (const candidate of bound?.[1].candidates ?? []) {
    const version = promptVersionOf(policy.prompts, candidate);
    if (version === null || version.digest === inForce?.digest) continue;
    const pinned = `${version.name}@${version.version}`;
    const patch = { agents: { [agent]: { prompt: pinned } } };
    if (tried.some((earlier) => sameJson(earlier, patch))) continue;
    return { patch, why: `Prompt ${pinned} has not been tried on this agent yet.` };
  }
  return null;
}
