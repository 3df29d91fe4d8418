import type { JsonObject } from '../../src/core/canonical.ts';
import { isObject, objectsIn, textIn } from '../../src/core/json-values.ts';

/** What a client makes of chunks: texts joined, calls and thoughts by their index. */
export function chatHeard(chunks: readonly JsonObject[]) {
  let [content, reasoning_content, finish_reason] = ['', '', ''];
  const lists: Record<string, Record<string, JsonObject>> = { tool_calls: {}, thinking_blocks: {} };
  for (const chunk of chunks) {
    const [choice] = objectsIn(chunk.choices);
    if (!choice) continue;
    const delta = choice.delta as JsonObject;
    content += (delta.content as string | undefined) ?? '';
    reasoning_content += (delta.reasoning_content as string | undefined) ?? '';
    finish_reason = (choice.finish_reason as string | null) ?? finish_reason;
    for (const [key, list] of Object.entries(lists)) {
      for (const { index, ...part } of objectsIn(delta[key])) {
        const place = textIn(index);
        list[place] = joined(list[place] ?? {}, part);
      }
    }
  }
  const { tool_calls, thinking_blocks } = lists;
  return {
    content,
    reasoning_content,
    finish_reason,
    tool_calls: Object.values(tool_calls ?? {}),
    thinking_blocks: Object.values(thinking_blocks ?? {}),
  };
}

function joined(known: JsonObject, part: JsonObject): JsonObject {
  const made: Record<string, JsonObject[string]> = { ...known };
  for (const [key, value] of Object.entries(part)) {
    const before = made[key];
    if (isObject(value)) made[key] = joined(isObject(before) ? before : {}, value);
    else if (key === 'type' || key === 'id' || before === undefined) made[key] = value;
    else made[key] = `${before as string}${value as string}`;
  }
  return made;
}

/** What a client makes of Anthropic's events. */
export function contentHeard(events: readonly JsonObject[]): JsonObject[] {
  const made: Record<string, JsonObject> = {};
  for (const { type, index, content_block, delta } of events) {
    const place = textIn(index);
    if (type === 'content_block_start') made[place] = content_block as JsonObject;
    if (type !== 'content_block_delta') continue;
    const { type: _type, ...part } = delta as JsonObject;
    // The official clients replace a signature, and join all else.
    const { signature, ...rest } = joined(made[place] as JsonObject, part);
    const last = part.signature ?? signature;
    made[place] = last === undefined ? rest : { ...rest, signature: last };
  }
  return Object.values(made).map(({ partial_json, ...block }) => {
    if (block.type !== 'tool_use') return block;
    return {
      ...block,
      input: JSON.parse((partial_json as string | undefined) || '{}') as JsonObject,
    };
  });
}
