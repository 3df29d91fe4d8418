import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import type { SaidPiece } from './said.ts';

/** What an answer says, read off JSON that its decoder has parsed anyway; undefined for nothing. */

/** The first choice of a chat completion or of a chunk of one, or of an older completion. */
export function saidInChoice(choice: JsonObject): SaidPiece | undefined {
  const message = choice.message ?? choice.delta;
  if (!isObject(message)) return pieceOf(choice.text, 0);
  const { content, refusal, tool_calls } = message;
  if (typeof refusal === 'string' && refusal !== '') return { text: refusal, refusal: true };
  // Pieces of one call come one by one; only the first has its id.
  const calls = Array.isArray(tool_calls) ? (tool_calls as readonly Json[]) : NONE;
  let tools = isObject(message.function_call) ? 1 : 0;
  for (const call of calls) if (isObject(call) && call.id) tools += 1;
  return pieceOf(Array.isArray(content) ? textOfParts(content as readonly Json[]) : content, tools);
}

/** Mistral's, where the model thinks. */
function textOfParts(parts: readonly Json[]): string {
  return objectsIn(parts)
    .map(({ text }) => textIn(text))
    .join('');
}

const NONE: readonly Json[] = [];

function pieceOf(text: Json | undefined, tools: number): SaidPiece | undefined {
  const said = typeof text === 'string' && text !== '' ? text : undefined;
  if (tools > 0) return said === undefined ? { tools } : { text: said, tools };
  return said === undefined ? undefined : { text: said };
}

/** A whole message of Anthropic's. */
export function saidInMessage(body: JsonObject): SaidPiece {
  const blocks = Array.isArray(body.content) ? (body.content as readonly Json[]) : NONE;
  let text = '';
  let tools = 0;
  for (const block of blocks) {
    if (!isObject(block)) continue;
    if (block.type === 'text' && typeof block.text === 'string') text += block.text;
    if (block.type === 'tool_use') tools += 1;
  }
  return { text, tools, ...(body.stop_reason === 'refusal' ? { refusal: true } : {}) };
}

/** An event of Anthropic's stream. */
export function saidInMessageEvent(body: JsonObject): SaidPiece | undefined {
  const { type, delta, content_block } = body;
  if (type === 'content_block_delta' && isObject(delta)) return pieceOf(delta.text, 0);
  if (type === 'content_block_start' && isObject(content_block)) {
    return pieceOf(content_block.text, content_block.type === 'tool_use' ? 1 : 0);
  }
  if (type !== 'message_delta' || !isObject(delta)) return undefined;
  return delta.stop_reason === 'refusal' ? { refusal: true } : undefined;
}

/** A whole response of OpenAI's, or the same in the last event of its stream. */
export function saidInResponse(response: JsonObject): SaidPiece {
  let tools = 0;
  let refusal = false;
  let text = '';
  for (const item of objectsIn(response.output)) {
    if (typeof item.type === 'string' && item.type.endsWith('_call')) tools += 1;
    for (const part of objectsIn(item.content)) {
      if (part.type === 'output_text' || part.type === 'text') text += textIn(part.text);
      if (part.type !== 'refusal') continue;
      text += textIn(part.refusal);
      refusal = true;
    }
  }
  return { text, tools, ...(refusal ? { refusal } : {}) };
}

/** An event of a response's stream. Its last one repeats the whole, which is not told again. */
export function saidInResponseEvent(body: JsonObject): SaidPiece | undefined {
  const { type, delta, item } = body;
  if (type === 'response.output_text.delta') return pieceOf(delta, 0);
  if (type === 'response.refusal.delta' && typeof delta === 'string') {
    return { text: delta, refusal: true };
  }
  if (type !== 'response.output_item.added' || !isObject(item)) return undefined;
  const called = typeof item.type === 'string' && item.type.endsWith('_call');
  return called ? { tools: 1 } : undefined;
}
