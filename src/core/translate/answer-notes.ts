import type { Note } from '../call.ts';
import type { JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import { isThinking } from './answers.ts';
import { Notes } from './notes.ts';

const NONE_THERE = 'no counterpart in the client’s dialect';

/** What of Anthropic's answer its chat completion does not say. */
export function lostOfMessages(answer: JsonObject): readonly Note[] {
  const notes = new Notes();
  for (const block of objectsIn(answer.content)) {
    if (block.type === 'text') notes.rest('answer.content.text', block, TEXT, NONE_THERE);
    else if (block.type !== 'tool_use' && !isThinking(block.type)) {
      notes.add(`answer.content.${textIn(block.type)}`, NONE_THERE);
    }
  }
  notes.rest('answer', answer, MESSAGE_ANSWER, NONE_THERE);
  return notes.list;
}

/** What of a chat completion Anthropic's answer does not say. */
export function lostOfChat(answer: JsonObject): readonly Note[] {
  const notes = new Notes();
  const [choice = {}, ...others] = objectsIn(answer.choices);
  if (others.length > 0) notes.add('answer.choices', 'only the first one');
  notes.rest('answer.choices', choice, CHOICE, NONE_THERE);
  if (isObject(choice.message)) {
    notes.rest('answer.message', choice.message, MESSAGE, NONE_THERE);
  }
  notes.rest('answer', answer, CHAT_ANSWER, NONE_THERE);
  return notes.list;
}

const TEXT: ReadonlySet<string> = new Set(['type', 'text']);
const MESSAGE_ANSWER: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'stop_reason',
  'usage',
]);
const CHOICE: ReadonlySet<string> = new Set(['index', 'message', 'finish_reason']);
const MESSAGE: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'reasoning',
  'reasoning_content',
  'thinking_blocks',
]);
/** Besides what is carried over: what an answer says of itself and nobody acts on. */
const CHAT_ANSWER: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'system_fingerprint',
  'service_tier',
]);
