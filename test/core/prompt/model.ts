import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import type { PatchedEndpoint, PromptOp } from '../../../src/core/prompt/version.ts';

/**
 * What patches mean, written as plainly as it can be said on a copy of the body: the yardstick of
 * the real thing. Null where the patch must be refused. It knows nothing of texts that stand there
 * already, so it holds for texts that no body has.
 */
export function modelOf(
  endpoint: PatchedEndpoint,
  body: JsonObject,
  ops: readonly PromptOp[],
): JsonObject | null {
  const copy = structuredClone(body) as Record<string, Json>;
  const system = systemOf(endpoint, copy);
  for (const op of ops) {
    if (op.op === 'replace' && !replace(system, op.anchor, op.expect ?? 1, op.text)) return null;
  }
  const texts = (kind: PromptOp['op']): string[] =>
    ops.flatMap((op) => (op.op === kind && 'text' in op ? [op.text] : []));
  const before = texts('system.prepend').join('\n\n');
  const behind = texts('system.append').join('\n\n');
  if (before !== '') system.set(join(system.get(), before, 'before'));
  if (behind !== '') system.set(join(system.get(), behind, 'behind'));
  const suffix = texts('user.suffix').join('\n\n');
  const examples = ops.flatMap((op) => (op.op === 'fewshot.insert' ? op.messages : []));
  if (suffix === '' && examples.length === 0) return copy;
  const key = endpoint === 'responses' ? 'input' : 'messages';
  const given = copy[key];
  const list =
    typeof given === 'string' ? [{ role: 'user', content: given }] : (given as JsonObject[]);
  if (suffix !== '') {
    const turn = list.findLast(isTurn) as Record<string, Json> | undefined;
    if (!turn) return null;
    const type = endpoint === 'responses' ? 'input_text' : 'text';
    turn.content = join(turn.content, suffix, 'behind', type) as Json;
  }
  let at = 0;
  while (['system', 'developer'].includes(list[at]?.role as string)) at += 1;
  list.splice(at, 0, ...(examples as unknown as JsonObject[]));
  copy[key] = list;
  return copy;
}

interface SystemPlace {
  get(): Json | undefined;
  set(value: Json): void;
}

function systemOf(endpoint: PatchedEndpoint, copy: Record<string, Json>): SystemPlace {
  if (endpoint !== 'chat.completions') {
    const key = endpoint === 'messages' ? 'system' : 'instructions';
    return {
      get: () => copy[key],
      set: (value) => {
        copy[key] = value;
      },
    };
  }
  const list = copy.messages as Record<string, Json>[];
  const find = () => list.find(({ role }) => role === 'system' || role === 'developer');
  return {
    get: () => find()?.content,
    set(value) {
      const found = find();
      if (found) found.content = value;
      else list.unshift({ role: 'system', content: value });
    },
  };
}

function replace(system: SystemPlace, anchor: string, expected: number, text: string): boolean {
  const value = system.get();
  const parts = Array.isArray(value) ? (value as Record<string, Json>[]) : [{ text: value ?? '' }];
  const open = parts.filter((part) => part.cache_control === undefined);
  const count = open.reduce((n, part) => n + (part.text as string).split(anchor).length - 1, 0);
  if (count !== expected) return false;
  for (const part of open) part.text = (part.text as string).replaceAll(anchor, () => text);
  if (typeof value === 'string') system.set(parts[0]?.text as Json);
  return true;
}

function join(value: Json | undefined, text: string, where: 'before' | 'behind', type = 'text') {
  if (value === undefined || value === null || value === '') return text;
  if (typeof value === 'string') {
    return where === 'before' ? `${text}\n\n${value}` : `${value}\n\n${text}`;
  }
  const parts = value as Json[];
  if (where === 'before')
    return [{ type, text: parts.length > 0 ? `${text}\n\n` : text }, ...parts];
  return [...parts, { type, text: parts.length > 0 ? `\n\n${text}` : text }];
}

function isTurn({ role, content }: JsonObject): boolean {
  if (role !== 'user') return false;
  if (typeof content === 'string') return true;
  const parts = content as readonly JsonObject[];
  return parts.length > 0 && parts.every(({ type }) => type !== 'tool_result');
}
