import { ownId } from '../answer-id.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import type { Recall } from '../provider.ts';
import { toolInput } from './chat-turns.ts';
import { toolCall } from './messages-turns.ts';
import { chatUsageOf, messagesUsageOf } from './usage.ts';
import { finishOf, idFor, stopReasonOf } from './words.ts';

/** What an answer of the other dialect does not say of itself. */
export interface AnswerFrame {
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created_s: number;
  readonly call_id: string;
  readonly recall?: Recall | undefined;
}

/** Between two thoughts, where they are one text. */
export const THOUGHTS_APART = '\n\n';

/** Anthropic's answer as a chat completion. */
export function messagesAnswerToChat(answer: JsonObject, frame: AnswerFrame): JsonObject {
  const blocks = objectsIn(answer.content);
  const texts = blocks.filter(({ type }) => type === 'text').map(({ text }) => textIn(text));
  const calls = blocks.filter(({ type }) => type === 'tool_use').map(toolCall);
  const thinking = blocks.filter(({ type }) => isThinking(type));
  const thoughts = thinking.flatMap((block) => (block.thinking ? [textIn(block.thinking)] : []));
  const message: Record<string, Json> = {
    role: 'assistant',
    content: texts.length === 0 && calls.length > 0 ? null : texts.join(''),
    refusal: null,
  };
  if (thoughts.length > 0) message.reasoning_content = thoughts.join(THOUGHTS_APART);
  if (thinking.length > 0) message.thinking_blocks = thinking;
  const legacy = frame.recall?.legacy;
  if (calls.length > 0 && legacy) message.function_call = calls[0]?.function ?? null;
  else if (calls.length > 0) message.tool_calls = calls;
  const finish_reason = finishFor(frame.recall, textIn(answer.stop_reason ?? 'end_turn'));
  return {
    id: idFor('chat', answer.id, frame.call_id),
    object: 'chat.completion',
    created: frame.created_s,
    model: typeof answer.model === 'string' ? answer.model : frame.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage: chatUsageOf(isObject(answer.usage) ? answer.usage : {}),
  };
}

/** Anthropic's `stop_reason`, in the words that the client knows. */
export function finishFor(recall: Recall | undefined, stop_reason: string): string {
  const finish = finishOf(stop_reason);
  return recall?.legacy && finish === 'tool_calls' ? 'function_call' : finish;
}

export function isThinking(type: Json | undefined): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** A chat completion's first choice as Anthropic's answer. */
export function chatAnswerToMessages(answer: JsonObject, frame: AnswerFrame): JsonObject {
  const [choice = {}] = objectsIn(answer.choices);
  const message = isObject(choice.message) ? choice.message : {};
  const uses = objectsIn(message.tool_calls).map((call, at) => toolUse(call, at, frame));
  const refusal = textIn(message.refusal);
  const said = refusal === '' ? [] : [{ type: 'text', text: refusal }];
  const content = [...thinkingOf(message), ...textOf(message), ...said, ...uses];
  const finish = textIn(choice.finish_reason) || null;
  const reason = stopReasonOf(finish, uses.length > 0);
  return {
    id: idFor('messages', answer.id, frame.call_id),
    type: 'message',
    role: 'assistant',
    model: typeof answer.model === 'string' ? answer.model : frame.model,
    content,
    stop_reason: refusal !== '' && reason === 'end_turn' ? 'refusal' : reason,
    stop_sequence: null,
    usage: messagesUsageOf(answer.usage),
  };
}

/** What was translated from Anthropic once comes back whole; other reasoning has no signature. */
function thinkingOf(message: JsonObject): JsonObject[] {
  const blocks = objectsIn(message.thinking_blocks);
  if (blocks.length > 0) return [...blocks];
  const { thinking } = spokenOf(message);
  return thinking === '' ? [] : [{ type: 'thinking', thinking, signature: '' }];
}

function textOf(message: JsonObject): JsonObject[] {
  const { text } = spokenOf(message);
  return text === '' ? [] : [{ type: 'text', text }];
}

/** What a message or a delta says, in all the places where hosts put it. */
export interface Spoken {
  readonly text: string;
  readonly thinking: string;
}

export function spokenOf(message: JsonObject): Spoken {
  const { content } = message;
  const reasoning = message.reasoning_content || message.reasoning;
  let text = typeof content === 'string' ? content : '';
  // Cloudflare answers a schema with the object itself.
  if (isObject(content)) text = JSON.stringify(content);
  let thinking = typeof reasoning === 'string' ? reasoning : '';
  for (const part of objectsIn(content)) {
    if (typeof part.text === 'string') text += part.text;
    // Mistral's: a part whose thinking is made of parts.
    for (const thought of objectsIn(part.thinking)) thinking += textIn(thought.text);
  }
  return { text, thinking };
}

/** A tool's name as the client has it. */
export function nameFor(recall: Recall | undefined, name: Json | undefined): Json {
  return recall?.names?.get(textIn(name)) ?? name ?? '';
}

/** Of a call of a tool: Gemini's compatible endpoint once gave none, and results name it. */
export function toolUseId(id: Json | undefined, at: number, call_id: string): string {
  return textIn(id) || `${ownId('toolu_', call_id)}_${at}`;
}

function toolUse(call: JsonObject, at: number, { recall, call_id }: AnswerFrame): JsonObject {
  const called = isObject(call.function) ? call.function : {};
  return {
    type: 'tool_use',
    id: toolUseId(call.id, at, call_id),
    name: nameFor(recall, called.name),
    input: toolInput(called.arguments),
  };
}
