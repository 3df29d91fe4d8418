import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn } from '../json-values.ts';
import type { Notes } from './notes.ts';

/** As many are written of one request, by OpenAI and by Anthropic: the latest. */
const MARKS_MAX = 4;

/**
 * Chat messages in which OpenAI's `prompt_cache_breakpoint` of a part is Anthropic's
 * `cache_control`. OpenAI keeps what stands before one for half an hour at least, or for twelve;
 * Anthropic for five minutes or an hour.
 */
export function withCacheMarks(messages: Json | undefined, notes: Notes): Json | undefined {
  if (!Array.isArray(messages)) return messages;
  const marks = objectsIn(messages).reduce((sum, message) => sum + marked(message).length, 0);
  if (marks === 0) return messages;
  if (marks > MARKS_MAX) notes.add('messages.prompt_cache_breakpoint', `the latest ${MARKS_MAX}`);
  let left_out = Math.max(0, marks - MARKS_MAX);
  const partOf = (part: Json): Json => {
    if (!isMarked(part)) return part;
    const { prompt_cache_breakpoint, ...rest } = part;
    if (left_out > 0) {
      left_out -= 1;
      return rest;
    }
    if (isObject(prompt_cache_breakpoint) && prompt_cache_breakpoint.ttl === '12h') {
      notes.add('messages.prompt_cache_breakpoint.ttl', '12h became 1h');
    }
    return { cache_control: { type: 'ephemeral', ttl: '1h' }, ...rest };
  };
  return (messages as readonly Json[]).map((message) => {
    if (!isObject(message) || marked(message).length === 0) return message;
    return { ...message, content: (message.content as readonly Json[]).map(partOf) };
  });
}

function marked({ content }: JsonObject): readonly JsonObject[] {
  return objectsIn(content).filter(isMarked);
}

function isMarked(part: Json): part is JsonObject {
  return isObject(part) && isObject(part.prompt_cache_breakpoint);
}
