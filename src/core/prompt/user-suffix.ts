import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import { BLANK_LINE } from './system-text.ts';

/**
 * The messages with a text at the end of the last thing that a user said; the very same list where
 * it stands there, null where no user said anything. A turn that brings a tool's result is none:
 * within a loop of tools the words stay where they were, so the prefix stays cached.
 */
export function suffixUser(
  list: readonly Json[],
  text: string,
  partType: 'text' | 'input_text',
): readonly Json[] | null {
  const at = list.findLastIndex(isUserTurn);
  const turn = list[at];
  if (!isObject(turn)) return null;
  const { content } = turn;
  if (typeof content === 'string') {
    if (endsWith(content, text)) return list;
    const joined = content === '' ? text : `${content}${BLANK_LINE}${text}`;
    return list.with(at, { ...turn, content: joined });
  }
  const parts = content as readonly JsonObject[];
  const last = parts.at(-1)?.text;
  if (typeof last === 'string' && endsWith(last, text)) return list;
  const part = { type: partType, text: `${BLANK_LINE}${text}` };
  return list.with(at, { ...turn, content: [...parts, part] });
}

function endsWith(whole: string, text: string): boolean {
  return whole === text || whole.endsWith(`${BLANK_LINE}${text}`);
}

function isUserTurn(message: Json): boolean {
  if (!isObject(message) || message.role !== 'user') return false;
  const { content } = message;
  if (typeof content === 'string') return true;
  if (!Array.isArray(content) || content.length === 0) return false;
  return content.every((part: Json) => isObject(part) && part.type !== 'tool_result');
}
