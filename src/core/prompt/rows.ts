import type { Row } from '../oracle.ts';
import { parsePointer, valueAt } from '../pointer.ts';
import { type Contents, followsLabel, type Policy, type PromptEntry } from '../policy.ts';

/**
 * Labels that people move and versions that they bring are rows of the same ledger as the oracle's
 * changes. Such a row belongs to no one agent, and touches nothing but prompts.
 */
export const EVERY_AGENT = '*';

export function isPromptRow({ agent }: Pick<Row, 'agent'>): boolean {
  return agent === EVERY_AGENT;
}

/** The prompts that a row touches, by name. */
export function promptsOf({ touches }: Pick<Row, 'touches'>): readonly string[] {
  const names = touches.map(parsePointer).map(([root, name]) => (root === 'prompts' ? name : null));
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

/** The agents that follow a label which a row moves. */
export function agentsMovedBy(
  { touches }: Pick<Row, 'touches'>,
  { agents }: Pick<Policy, 'agents'>,
): readonly string[] {
  const moved = touches.map(parsePointer).filter(([, , part]) => part === 'labels');
  return Object.keys(agents).filter((agent) =>
    moved.some(([, name = '', , label = '']) => followsLabel(agents[agent]?.prompt, name, label)),
  );
}

/**
 * Why a row may not write this of the prompts, or null. A version may only be added, with its
 * content; a label may only point to a version that there is, and a protected one not at all.
 */
export function promptRowProblem(
  row: Pick<Row, 'type'>,
  pointer: string,
  before: Policy,
  after: Policy,
  contents: Contents,
): string | null {
  const [root, name = '', part, key] = parsePointer(pointer);
  if (row.type !== 'PROMPT_PATCH' || root !== 'prompts') return `${pointer} is no prompt’s`;
  const old = Object.hasOwn(before.prompts, name) ? before.prompts[name] : undefined;
  const value = valueAt(after, pointer);
  if (part === 'labels') return labelProblem({ name, key, value }, old, after.prompts[name]);
  if (part !== 'versions' || key === undefined) return `${pointer} is no version and no label`;
  if (!/^[1-9]\d{0,8}$/.test(key)) return `${key} is no version number`;
  if (isIn(old?.versions, key)) return `version ${key} of ${name} never changes`;
  const known = typeof value === 'string' && isIn(contents, value);
  return known ? null : `version ${key} of ${name} has no content`;
}

function labelProblem(
  moved: { readonly name: string; readonly key: string | undefined; readonly value: unknown },
  old: PromptEntry | undefined,
  now: PromptEntry | undefined,
): string | null {
  const { name, key, value } = moved;
  if (key === undefined) {
    return old === undefined ? null : `prompt ${name} has its labels already`;
  }
  if (old?.protected?.includes(key)) return `label ${key} of ${name} is protected`;
  const known = typeof value === 'number' && isIn(now?.versions, String(value));
  return known ? null : `prompt ${name} has no version ${JSON.stringify(value ?? null)}`;
}

function isIn(record: object | undefined, key: string): boolean {
  return record !== undefined && Object.hasOwn(record, key);
}
