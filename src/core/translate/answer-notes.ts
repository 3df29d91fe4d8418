import type { Note } from '../call.ts';
import type { JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import { printable } from '../printable.ts';
import type { Recall } from '../provider.ts';
import { isThinking } from './answers.ts';
import { Notes, notesText } from './notes.ts';
import { finishOf, isSaid, isSaidFinish, stopReasonOf } from './words.ts';

const NONE_THERE = 'no counterpart in the client’s dialect';

/** What of Anthropic's answer its chat completion does not say. */
export function lostOfMessages(answer: JsonObject, recall?: Recall): readonly Note[] {
  const notes = new Notes();
  for (const block of objectsIn(answer.content)) noteBlock(block, notes);
  noteMessage(answer, notes);
  const calls = objectsIn(answer.content).filter(({ type }) => type === 'tool_use');
  if (recall?.legacy && calls.length > 1) noteSecondCall(notes);
  return notes.list;
}

/** A client that asked with `functions` has room for one. */
export function noteSecondCall(notes: Notes): void {
  notes.add('answer.content.tool_use', 'only the first call');
}

/** The same of one event of Anthropic's stream; empty blocks say what is to come. */
export function noteMessagesEvent(event: JsonObject, notes: Notes): void {
  const delta = isObject(event.delta) ? event.delta : {};
  if (event.type === 'message_start') {
    if (isObject(event.message))
      for (const note of lostOfMessages(event.message)) notes.add(note.subject, note.reason);
  } else if (event.type === 'content_block_start') {
    if (isObject(event.content_block)) noteBlock(event.content_block, notes);
  } else if (event.type === 'content_block_delta') {
    if (delta.type === 'citations_delta') notes.add('answer.content.text.citations', NONE_THERE);
    else if (!DELTAS.has(textIn(delta.type))) {
      notes.add(`answer.content.${textIn(delta.type)}`, NONE_THERE);
    }
  } else if (event.type === 'message_delta') {
    noteMessage(delta, notes);
    notes.rest('answer', event, MESSAGE_DELTA, NONE_THERE);
  } else if (!EVENTS.has(textIn(event.type))) {
    notes.add(`answer.${textIn(event.type)}`, NONE_THERE);
  }
}

function noteBlock(block: JsonObject, notes: Notes): void {
  if (block.type === 'text') notes.rest('answer.content.text', block, TEXT, NONE_THERE);
  else if (block.type !== 'tool_use' && !isThinking(block.type)) {
    notes.add(`answer.content.${textIn(block.type)}`, NONE_THERE);
  }
}

function noteMessage(message: JsonObject, notes: Notes): void {
  const reason = message.stop_reason;
  if (typeof reason === 'string' && !isSaid(reason)) {
    notes.add('answer.stop_reason', `${reason} became ${finishOf(reason)}`);
  }
  notes.rest('answer', message, MESSAGE_ANSWER, NONE_THERE);
}

/** What of a chat completion Anthropic's answer does not say. */
export function lostOfChat(answer: JsonObject): readonly Note[] {
  const notes = new Notes();
  noteChat(answer, 'message', notes);
  return notes.list;
}

/** The same of one chunk of a stream. */
export function noteChunk(chunk: JsonObject, notes: Notes): void {
  noteChat(chunk, 'delta', notes);
}

function noteChat(answer: JsonObject, part: 'message' | 'delta', notes: Notes): void {
  for (const [at, choice] of objectsIn(answer.choices).entries()) {
    if ((choice.index ?? 0) !== 0 || at > 0) {
      notes.add('answer.choices', 'only the first one');
      continue;
    }
    const said = choice[part];
    notes.rest('answer.choices', choice, CHOICE, NONE_THERE);
    if (isObject(said)) noteSaid(said, notes);
    const finish = textIn(choice.finish_reason);
    if (finish === '' || isSaidFinish(finish)) continue;
    notes.add('answer.finish_reason', `${finish} became ${stopReasonOf(finish, false)}`);
  }
  notes.rest('answer', answer, CHAT_ANSWER, NONE_THERE);
}

function noteSaid(said: JsonObject, notes: Notes): void {
  notes.rest('answer.message', said, MESSAGE, NONE_THERE);
  for (const part of objectsIn(said.content)) {
    if (typeof part.text === 'string' || Array.isArray(part.thinking)) continue;
    notes.add(`answer.content.${textIn(part.type)}`, NONE_THERE);
  }
  for (const call of objectsIn(said.tool_calls)) {
    notes.rest('answer.message.tool_calls', call, CALL, NONE_THERE);
  }
}

const COMMENT_MAX = 2048;

/**
 * The notes of a stream as a comment of server-sent events, which clients pass over: its headers
 * left before anybody knew. What an upstream named must not begin a line of its own.
 */
export function notesComment({ list }: Notes): string {
  if (list.length === 0) return '';
  return `: x-hive-notes: ${printable(notesText(list), COMMENT_MAX)}\n\n`;
}

const DELTAS: ReadonlySet<string> = new Set([
  'text_delta',
  'thinking_delta',
  'signature_delta',
  'input_json_delta',
]);
/** Events that say nothing beyond what the translation has said. */
const EVENTS: ReadonlySet<string> = new Set(['content_block_stop', 'message_stop', 'ping']);
const MESSAGE_DELTA: ReadonlySet<string> = new Set(['type', 'delta', 'usage']);
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
const CHOICE: ReadonlySet<string> = new Set([
  'index',
  'message',
  'delta',
  'finish_reason',
  'usage',
]);
const MESSAGE: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'reasoning',
  'reasoning_content',
  'thinking_blocks',
  'whole_thinking_blocks',
]);
const CALL: ReadonlySet<string> = new Set(['index', 'id', 'type', 'function']);
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
  'obfuscation',
  // Mistral's name of the same.
  'p',
]);
