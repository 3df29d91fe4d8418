import type { Json, JsonObject } from '../canonical.ts';
import { parseExact } from '../exact-json.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import { cacheControl, textBlocks, userContent } from './chat-parts.ts';
import type { Notes } from './notes.ts';

/** A conversation as Anthropic has it: the system's words apart from the turns. */
export interface Conversation {
  readonly system: Json | null;
  readonly turns: readonly JsonObject[];
}

/**
 * Chat messages as Anthropic's. Its system text stands before all turns; the results of parallel
 * tool calls, and what the user says next, are one user turn.
 */
export function turnsOfChat(messages: Json | undefined, notes: Notes): Conversation {
  const given = objectsIn(messages);
  const spoken = given.filter(({ role }) => !isSystem(role));
  const system = given.filter(({ role }) => isSystem(role));
  const opening = given.findIndex(({ role }) => !isSystem(role));
  if (opening !== -1 && opening < given.findLastIndex(({ role }) => isSystem(role))) {
    notes.add('messages.system', 'moved to the front: the provider has one place for it');
  }
  const turns: JsonObject[] = [];
  for (const message of spoken) addMessage(turns, message, notes);
  trimEnd(turns, notes);
  const words = systemOf(system, notes);
  if (turns.length > 0 || words === null) return { system: words, turns };
  notes.add('messages.system', 'sent as the user’s: the provider answers no system text alone');
  return { system: null, turns: [{ role: 'user', content: words }] };
}

/** Anthropic refuses a last answer that ends in white space: it would go on from there. */
function trimEnd(turns: JsonObject[], notes: Notes): void {
  const last = turns.at(-1);
  if (last?.role !== 'assistant') return;
  const blocks = blocksOf(last.content as Content);
  const end = blocks.at(-1);
  if (typeof end?.text !== 'string' || end.text === end.text.trimEnd()) return;
  notes.add('messages.content', 'white space at the end of the last answer taken off');
  turns.pop();
  const text = end.text.trimEnd();
  const kept = text === '' ? blocks.slice(0, -1) : [...blocks.slice(0, -1), { ...end, text }];
  const content = typeof last.content === 'string' ? text : kept;
  addTurn(turns, { role: 'assistant', content }, notes);
}

function isSystem(role: Json | undefined): boolean {
  return role === 'system' || role === 'developer';
}

function systemOf(messages: readonly JsonObject[], notes: Notes): Json | null {
  for (const message of messages) noteFields(message, notes);
  const [first] = messages;
  if (messages.length === 1 && typeof first?.content === 'string' && !first.cache_control) {
    return first.content.trim() === '' ? null : first.content;
  }
  const given = messages.flatMap((message) =>
    blocksOf(cached(textBlocks(message.content, notes), message)),
  );
  const blocks = heard(given, notes);
  return blocks.length > 0 ? blocks : null;
}

type Content = string | readonly JsonObject[];

function blocksOf(content: Content): readonly JsonObject[] {
  if (typeof content !== 'string') return content;
  return content === '' ? [] : [{ type: 'text', text: content }];
}

/** Where a client marks a message as a whole, the cache ends behind its last block. */
function cached(content: Content, { cache_control }: JsonObject): Content {
  if (!isObject(cache_control)) return content;
  const blocks = blocksOf(content);
  const last = blocks.at(-1);
  // Thinking takes no mark.
  if (!last || last.thinking !== undefined || last.data !== undefined) return blocks;
  return [...blocks.slice(0, -1), { cache_control, ...last }];
}

function addMessage(turns: JsonObject[], message: JsonObject, notes: Notes): void {
  noteFields(message, notes);
  if (message.role === 'assistant') {
    const content = cached(assistantContent(message, notes), message);
    addTurn(turns, { role: 'assistant', content }, notes);
  } else if (message.role === 'tool') {
    addResult(turns, toolResult(message, notes));
  } else if (message.role === 'user') {
    addUser(turns, cached(userContent(message.content, notes), message), notes);
  } else {
    notes.add(`messages.role ${textIn(message.role)}`);
  }
}

function noteFields(message: JsonObject, notes: Notes): void {
  if (message.name && message.role !== 'tool') notes.add('messages.name');
  notes.rest('messages', message, MESSAGE);
}

/** What is read of a message, whatever its role, and what is named by itself. */
const MESSAGE: ReadonlySet<string> = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'tool_call_id',
  'function_call',
  'audio',
  'reasoning',
  'reasoning_content',
  'thinking_blocks',
  'whole_thinking_blocks',
  'cache_control',
]);

interface Said {
  readonly role: 'user' | 'assistant';
  readonly content: Content;
}

function addTurn(turns: JsonObject[], said: Said, notes: Notes): void {
  const content = heard(said.content, notes);
  if (content.length > 0) turns.push({ role: said.role, content });
}

/** Anthropic refuses empty content, and a turn whose texts are white space alone. */
function heard(content: Content, notes: Notes): Content {
  const blocks = blocksOf(content);
  const texts = blocks.filter(({ text }) => typeof text === 'string');
  if (texts.length === 0 || texts.some(({ text }) => textIn(text).trim() !== '')) return content;
  notes.add('messages.content', 'white space alone is nothing to this provider');
  return blocks.filter((block) => !texts.includes(block));
}

/** What the last turn holds, where that is tool results alone: they come before words. */
function openResults(turns: readonly JsonObject[]): JsonObject[] | null {
  const last = turns.at(-1);
  if (last?.role !== 'user' || !Array.isArray(last.content)) return null;
  const blocks = last.content as JsonObject[];
  return blocks.at(-1)?.type === 'tool_result' ? blocks : null;
}

/** To the list that was made for the first of them: thousands would else be copied each time. */
function addResult(turns: JsonObject[], result: JsonObject): void {
  const open = openResults(turns);
  if (open) open.push(result);
  else turns.push({ role: 'user', content: [result] });
}

function addUser(turns: JsonObject[], content: Content, notes: Notes): void {
  const open = openResults(turns);
  if (!open) {
    addTurn(turns, { role: 'user', content }, notes);
    return;
  }
  const more = blocksOf(heard(content, notes));
  turns[turns.length - 1] = { role: 'user', content: [...open, ...more] };
}

/** Thinking first, as its signature demands; then text, then tool calls. */
function assistantContent(message: JsonObject, notes: Notes): string | JsonObject[] {
  const thinking = thinkingBlocks(message, notes);
  const calls = objectsIn(message.tool_calls).flatMap((call) => toolUse(call, notes));
  if (message.function_call) notes.add('messages.function_call', 'deprecated: use tool_calls');
  if (message.audio) notes.add('messages.audio');
  const { content, refusal } = message;
  const refused = typeof refusal === 'string' ? textBlocks(refusal, notes) : [];
  if (thinking.length + calls.length + refused.length === 0 && typeof content === 'string') {
    return content;
  }
  return [...thinking, ...textBlocks(content, notes), ...refused, ...calls];
}

/** What an earlier answer gave as `thinking_blocks`: without its signature nobody takes it back. */
function thinkingBlocks(message: JsonObject, notes: Notes): JsonObject[] {
  const told = message.whole_thinking_blocks ?? message.thinking_blocks;
  const given = wholeThoughts(objectsIn(told));
  const kept = given.flatMap(({ type, thinking, signature, data }): JsonObject[] => {
    if (type === 'redacted_thinking' && typeof data === 'string') return [{ type, data }];
    if (type !== 'thinking' || typeof signature !== 'string' || signature === '') return [];
    return [{ type, thinking: typeof thinking === 'string' ? thinking : '', signature }];
  });
  const lost =
    given.length > kept.length ||
    (given.length === 0 && (message.reasoning_content || message.reasoning));
  if (lost) notes.add('messages.reasoning_content', 'unsigned: the provider does not take it back');
  return kept;
}

/**
 * A client that keeps the pieces of a stream as they came has each block in parts: its words, and
 * last its signature without words.
 */
function wholeThoughts(given: readonly JsonObject[]): readonly JsonObject[] {
  const whole: JsonObject[] = [];
  for (const block of given) {
    const before = whole.at(-1);
    const goesOn = block.type === 'thinking' && before?.type === 'thinking' && !before.signature;
    if (!goesOn || (block.signature && block.thinking !== undefined)) whole.push(block);
    else {
      const thinking = textIn(before.thinking) + textIn(block.thinking);
      whole[whole.length - 1] = { ...before, ...block, thinking };
    }
  }
  return whole;
}

function toolUse(call: JsonObject, notes: Notes): JsonObject[] {
  const id = toolId(call.id);
  if (isObject(call.custom)) {
    // Without it the result would answer nothing, and be refused.
    notes.add('messages.tool_calls custom', 'its text is the one field of an object');
    const { name, input } = call.custom;
    return [{ type: 'tool_use', id, name: name ?? '', input: { input: input ?? '' } }];
  }
  if (!isObject(call.function)) {
    notes.add(`messages.tool_calls ${textIn(call.type)}`);
    return [];
  }
  const { name, arguments: text } = call.function;
  notes.rest('messages.tool_calls', call, CALL);
  return [
    { type: 'tool_use', id, name: name ?? '', input: toolInput(text), ...cacheControl(call) },
  ];
}

const CALL: ReadonlySet<string> = new Set(['id', 'type', 'index', 'function', 'cache_control']);

/** Anthropic takes letters, digits, `_` and `-` only; the same id becomes the same everywhere. */
function toolId(id: Json | undefined): string {
  return textIn(id).replaceAll(/[^A-Za-z0-9_-]/g, '_');
}

/** An object always: no arguments are `{}`, and what a model wrote wrongly is kept as its text. */
export function toolInput(text: Json | undefined): JsonObject {
  // Some hosts give the object itself.
  if (isObject(text)) return text;
  if (typeof text !== 'string' || text.trim() === '') return {};
  const parsed = parseExact(text);
  if (parsed === null) return {};
  return isObject(parsed) ? parsed : { arguments: text };
}

function toolResult(message: JsonObject, notes: Notes): JsonObject {
  const { content } = message;
  return {
    type: 'tool_result',
    tool_use_id: toolId(message.tool_call_id),
    content: typeof content === 'string' ? content : userContent(content, notes),
    ...cacheControl(message),
  };
}
