import type { Json } from './canonical.ts';
import type { Row } from './oracle.ts';
import { matchesPattern, parsePointer, valueAt } from './pointer.ts';
import { type Bound, type Contents, type Policy, promptVersionOf } from './policy.ts';
import { isPromptRow, promptRowProblem } from './prompt/rows.ts';
import { tokensAdded } from './prompt/version.ts';

/** What of a row the bounds look at. */
export type Bounded = Pick<Row, 'type' | 'agent' | 'touches'>;

/**
 * Why the operator's bounds do not allow a change, or null where they do. Checked twice with this
 * one function: by the policy gate, and again by every fold. `before` and `after` are whole
 * policies; the bounds are those of `before`, which rows cannot touch.
 */
export function boundProblem(
  row: Bounded,
  before: Policy,
  after: Policy,
  contents: Contents,
): string | null {
  for (const pointer of row.touches) {
    const problem = problemAt(pointer, row, before, after, contents);
    if (problem !== null) return problem;
  }
  return null;
}

function problemAt(
  pointer: string,
  row: Bounded,
  before: Policy,
  after: Policy,
  contents: Contents,
): string | null {
  if (isPromptRow(row)) return promptRowProblem(row, pointer, before, after, contents);
  const [root, agent, knob] = parsePointer(pointer);
  if (root !== 'agents' || agent !== row.agent || knob === undefined) {
    return `${pointer} is not a knob of agent ${row.agent}`;
  }
  // A weight is a key of its own, but what is bounded is the agent's set of targets.
  const bounded = knob === 'targets' ? `/agents/${agent}/targets` : pointer;
  const bound = boundOf(before, bounded);
  if (bound === null) return `no bound of oracle_policies.yaml lets ${bounded} be moved`;
  const value = valueAt(after, bounded) ?? null;
  if (knob === 'targets') return targetsProblem(row, bound, before, after);
  if (knob === 'adapter') return adapterProblem(bound, value as Json);
  if (knob === 'prompt') return promptProblem(bound, value as Json, after, contents);
  return numberProblem(bounded, bound, valueAt(before, bounded), value);
}

function boundOf(policy: Policy, pointer: string): Bound | null {
  for (const [pattern, bound] of Object.entries(policy.oracle.bounds)) {
    if (matchesPattern(pattern, pointer)) return bound;
  }
  return null;
}

function targetsProblem(row: Bounded, bound: Bound, before: Policy, after: Policy): string | null {
  const old = before.agents[row.agent]?.targets ?? {};
  const now = after.agents[row.agent]?.targets ?? {};
  for (const name of Object.keys(now)) {
    if (Object.hasOwn(old, name) || bound.add_from?.includes(name)) continue;
    return `target ${name} may not be added: add_from is [${bound.add_from?.join(', ') ?? ''}]`;
  }
  const left = Object.values(now).filter((weight) => weight > 0).length;
  const leftBefore = Object.values(old).filter((weight) => weight > 0).length;
  const leastLeft = Math.min(bound.min_left ?? 1, leftBefore);
  if (left < leastLeft) return `${left} targets would be left, fewer than min_left ${leastLeft}`;
  if (row.type !== 'ROUTE_CHANGE' || bound.step_max === undefined) return null;
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const step = Math.abs(shareOf(now, name) - shareOf(old, name));
    if (step <= bound.step_max + 1e-9) continue;
    return `the share of ${name} would move by ${step.toFixed(3)}, more than ${bound.step_max}`;
  }
  return null;
}

function shareOf(weights: Readonly<Record<string, number>>, name: string): number {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? (weights[name] ?? 0) / total : 0;
}

function adapterProblem(bound: Bound, value: Json): string | null {
  if (value === 'none' || (typeof value === 'string' && bound.allow?.includes(value))) return null;
  const allowed = bound.allow?.join(', ') ?? '';
  return `adapter ${JSON.stringify(value)} is not allowed: allow is [${allowed}]`;
}

function promptProblem(
  bound: Bound,
  value: Json,
  after: Policy,
  contents: Contents,
): string | null {
  if (value === null) return null;
  if (typeof value !== 'string') return 'a prompt is named by a string';
  const found = promptVersionOf(after.prompts, value);
  // A candidate may be a label: then it allows the version that the label is at.
  const allowed = bound.candidates?.some(
    (one) => one === value || promptVersionOf(after.prompts, one)?.digest === found?.digest,
  );
  if (allowed === false) {
    const candidates = bound.candidates?.join(', ');
    return `prompt ${value} is not a candidate: candidates are [${candidates}]`;
  }
  const content = found ? contents[found.digest] : undefined;
  if (!content) return `prompt ${value} is unknown`;
  const strange = content.ops.find((op) => bound.ops && !bound.ops.includes(op.op));
  if (strange) return `prompt ${value} uses ${strange.op}, which the bound does not allow`;
  const tokens = tokensAdded(content);
  if (bound.tokens_added_max === undefined || tokens <= bound.tokens_added_max) return null;
  return `prompt ${value} adds about ${tokens} tokens, more than ${bound.tokens_added_max}`;
}

function numberProblem(
  pointer: string,
  bound: Bound,
  before: unknown,
  value: unknown,
): string | null {
  if (value === null) return null;
  if (typeof value !== 'number') return `${pointer} has bounds for numbers only`;
  if (bound.min !== undefined && value < bound.min) return `${pointer} ${value} < ${bound.min}`;
  if (bound.max !== undefined && value > bound.max) return `${pointer} ${value} > ${bound.max}`;
  if (bound.step_max === undefined || typeof before !== 'number') return null;
  const step = Math.abs(value - before);
  if (step <= bound.step_max + 1e-9) return null;
  return `${pointer} would move by ${step.toFixed(3)}, more than ${bound.step_max}`;
}
