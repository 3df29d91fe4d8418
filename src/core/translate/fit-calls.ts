import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../canonical.ts';
import { objectsIn, textIn } from '../json-values.ts';
import type { Notes } from './notes.ts';
import type { ChatQuirks } from './quirks.ts';

/**
 * Messages with their calls of tools as a host takes them: another provider may have made them,
 * before the conversation came to this one.
 */
export function fitCalls(
  messages: readonly JsonObject[],
  model: string,
  { call_ids, call_mark }: ChatQuirks,
  notes: Notes,
): readonly JsonObject[] {
  const mark = call_mark?.models.test(model) ? call_mark.fields : null;
  if (call_ids === undefined && mark === null) return messages;
  const idFor = (id: Json | undefined): string => {
    const known = textIn(id);
    return call_ids === undefined || call_ids.test(known) ? known : shortened(known);
  };
  return messages.map((message) => {
    if (message.role === 'tool') return { ...message, tool_call_id: idFor(message.tool_call_id) };
    if (message.tool_calls === undefined) return message;
    if (mark !== null)
      notes.add('messages.tool_use', 'sent with the mark of a call from elsewhere');
    const calls = objectsIn(message.tool_calls);
    return { ...message, tool_calls: calls.map((one) => ({ ...one, id: idFor(one.id), ...mark })) };
  });
}

/** As long as Mistral's. */
const ID_CHARACTERS = 9;

/** The same for a call and its result, and in every request. */
function shortened(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, ID_CHARACTERS);
}
