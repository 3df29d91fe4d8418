import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn } from '../json-values.ts';

/** A chat completion in today's words, and whether it was asked in older ones. */
export interface Modern {
  readonly chat: JsonObject;
  /** Its client knows calls as `function_call`, one an answer, and nothing of `tool_calls`. */
  readonly legacy: boolean;
}

/**
 * What clients of before `tools` say: `functions`, `function_call`, and messages of the role
 * `function`, which have no id to tell whose result they are. It is that of the last call before.
 */
export function modernOf(chat: JsonObject): Modern {
  const messages = modernMessages(chat.messages);
  const legacy = objectsIn(chat.functions).length > 0 && objectsIn(chat.tools).length === 0;
  if (!legacy) return { chat: messages === null ? chat : { ...chat, messages }, legacy };
  const { functions, function_call, ...rest } = chat;
  const tools = objectsIn(functions).map((one) => ({ type: 'function', function: one }));
  const tool_choice = choiceOf(function_call);
  const modern: JsonObject = {
    ...rest,
    ...(messages === null ? {} : { messages }),
    ...(tool_choice === undefined ? {} : { tool_choice }),
    tools,
    // There is room for one call in such an answer.
    parallel_tool_calls: false,
  };
  return { chat: modern, legacy };
}

function choiceOf(called: Json | undefined): Json | undefined {
  return isObject(called) ? { type: 'function', function: called } : called;
}

/** The messages with their calls and results in today's form; null where they have none. */
function modernMessages(given: Json | undefined): readonly Json[] | null {
  if (!Array.isArray(given)) return null;
  let calls = 0;
  const messages = (given as readonly Json[]).map((message) => {
    if (!isObject(message)) return message;
    const { function_call: called, ...rest } = message;
    if (message.role === 'assistant' && isObject(called) && message.tool_calls === undefined) {
      calls += 1;
      return { ...rest, tool_calls: [{ id: idOf(calls), type: 'function', function: called }] };
    }
    if (message.role !== 'function' || calls === 0) return message;
    return { role: 'tool', tool_call_id: idOf(calls), content: message.content ?? '' };
  });
  return calls === 0 ? null : messages;
}

/** By its place, so that it is the same as the conversation grows. */
function idOf(number: number): string {
  return `function_call_${number}`;
}
