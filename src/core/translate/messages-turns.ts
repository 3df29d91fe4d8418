import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import type { Notes } from './notes.ts';
import type { ChatQuirks } from './quirks.ts';
import type { ToolNames } from './tool-names.ts';

/** Anthropic's system text and turns as chat messages. */
export function chatOfTurns(
  messages: JsonObject,
  quirks: ChatQuirks,
  notes: Notes,
  names: ToolNames,
): readonly JsonObject[] {
  const chat = objectsIn(messages.messages).flatMap((turn) => {
    if (turn.role === 'assistant') return assistantMessage(turn, quirks, notes, names);
    if (turn.role === 'user') return userMessages(turn, quirks, notes);
    // Newer versions let the system speak amid the turns. Nobody else has its word.
    if (turn.role === 'system') {
      return [{ role: 'system', content: textContent(turn.content, quirks, notes) }];
    }
    notes.add(`messages.role ${textIn(turn.role)}`.trim());
    return [];
  });
  const system = textContent(messages.system, quirks, notes);
  for (const turn of objectsIn(messages.messages)) notes.rest('messages', turn, TURN);
  return system.length === 0 ? chat : [{ role: 'system', content: system }, ...chat];
}

/** What is read of a turn, whoever spoke. */
const TURN: ReadonlySet<string> = new Set(['role', 'content']);

function blocksOf(content: Json | undefined): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objectsIn(content);
}

function textContent(content: Json | undefined, quirks: ChatQuirks, notes: Notes): Content {
  if (typeof content === 'string') return content;
  return contentOf(
    blocksOf(content).flatMap((block) => partsOfBlock(block, notes)),
    quirks,
  );
}

type Content = string | readonly JsonObject[];

/** One text is a string; several stay apart, where the host takes parts. */
function contentOf(parts: readonly JsonObject[], quirks: ChatQuirks): Content {
  const plain = parts.every(({ type }) => type === 'text');
  if (plain && (parts.length <= 1 || quirks.joins_text)) {
    return parts.map(({ text }) => textIn(text)).join('\n\n');
  }
  return parts;
}

/** What is carried over of each kind of block; its other fields are named. */
const BLOCKS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'cache_control']),
  image: new Set(['type', 'source', 'cache_control']),
  document: new Set(['type', 'source', 'title', 'cache_control']),
  search_result: new Set(['type', 'title', 'source', 'content', 'cache_control']),
  tool_use: new Set(['type', 'id', 'name', 'input', 'cache_control']),
  tool_result: new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']),
};

const SOURCE: ReadonlySet<string> = new Set([
  'type',
  'media_type',
  'data',
  'url',
  'content',
  'file_id',
]);

function noteRest(block: JsonObject, notes: Notes): void {
  if (block.cache_control) notes.add('cache_control', 'the provider caches by itself, or not');
  const type = textIn(block.type);
  const known = Object.hasOwn(BLOCKS, type) ? BLOCKS[type] : undefined;
  if (known) notes.rest(`messages.${type}`, block, known);
}

function partsOfBlock(block: JsonObject, notes: Notes): JsonObject[] {
  noteRest(block, notes);
  const source = isObject(block.source) ? block.source : {};
  notes.rest(`messages.${textIn(block.type)}.source`, source, SOURCE);
  if (block.type === 'text') return [{ type: 'text', text: block.text ?? '' }];
  if (block.type === 'image' && source.type === 'base64') return [imagePart(dataUrl(source))];
  if (block.type === 'image' && source.type === 'url') return [imagePart(source.url)];
  if (block.type === 'document' && source.type === 'base64') {
    const filename = typeof block.title === 'string' ? block.title : 'document.pdf';
    return [{ type: 'file', file: { filename, file_data: dataUrl(source) } }];
  }
  if (block.type === 'document' && source.type === 'text') {
    const title = typeof block.title === 'string' ? `${block.title}\n\n` : '';
    return [{ type: 'text', text: `${title}${textIn(source.data)}` }];
  }
  if (block.type === 'document' && source.type === 'content') {
    const title = typeof block.title === 'string' ? [{ type: 'text', text: block.title }] : [];
    return [...title, ...blocksOf(source.content).flatMap((part) => partsOfBlock(part, notes))];
  }
  if (block.type === 'search_result') {
    const texts = blocksOf(block.content).map(({ text }) => text);
    const text = [block.title, block.source, ...texts].map(textIn).join('\n');
    return [{ type: 'text', text }];
  }
  notes.add(`messages.${textIn(block.type)} ${textIn(source.type)}`.trim());
  return [];
}

function dataUrl(source: JsonObject): string {
  return `data:${textIn(source.media_type)};base64,${textIn(source.data)}`;
}

function imagePart(url: Json | undefined): JsonObject {
  return { type: 'image_url', image_url: { url: url ?? '' } };
}

/** Results of tools are messages of their own, right behind the calls that they answer. */
function userMessages(turn: JsonObject, quirks: ChatQuirks, notes: Notes): JsonObject[] {
  if (typeof turn.content === 'string') return [{ role: 'user', content: turn.content }];
  const results: JsonObject[] = [];
  const rest: JsonObject[] = [];
  for (const block of blocksOf(turn.content)) {
    if (block.type !== 'tool_result') rest.push(...partsOfBlock(block, notes));
    else results.push(toolMessage(block, rest, quirks, notes));
  }
  const said = contentOf(rest, quirks);
  return said.length === 0 ? results : [...results, { role: 'user', content: said }];
}

/** A tool's answer is text; a picture in it goes into the user's message that follows. */
function toolMessage(
  block: JsonObject,
  rest: JsonObject[],
  quirks: ChatQuirks,
  notes: Notes,
): JsonObject {
  if (block.is_error === true) notes.add('messages.tool_result.is_error');
  noteRest(block, notes);
  const { content } = block;
  const parts = blocksOf(content).flatMap((part) => partsOfBlock(part, notes));
  const texts = parts.filter(({ type }) => type === 'text');
  if (texts.length < parts.length) {
    rest.push(...parts.filter(({ type }) => type !== 'text'));
    notes.add('messages.tool_result.image', 'moved into the user’s message');
  }
  return {
    role: 'tool',
    tool_call_id: block.tool_use_id ?? '',
    content: typeof content === 'string' ? content : contentOf(texts, quirks),
  };
}

function assistantMessage(
  turn: JsonObject,
  quirks: ChatQuirks,
  notes: Notes,
  names: ToolNames,
): JsonObject[] {
  const said: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const thoughts: string[] = [];
  for (const block of blocksOf(turn.content)) {
    if (block.type === 'thinking') thoughts.push(textIn(block.thinking));
    else if (block.type === 'redacted_thinking') notes.add('messages.redacted_thinking');
    else if (block.type === 'tool_use') {
      noteRest(block, notes);
      calls.push(toolCall({ ...block, name: names.sent(block.name, notes) }));
    } else said.push(...partsOfBlock(block, notes));
  }
  const content = contentOf(said, quirks);
  const message: Record<string, Json> = { role: 'assistant' };
  message.content = content.length === 0 && calls.length > 0 ? null : content;
  if (thoughts.length > 0 && quirks.reasoning) message[quirks.reasoning] = thoughts.join('\n\n');
  else if (thoughts.length > 0) notes.add('messages.thinking');
  if (calls.length > 0) message.tool_calls = calls;
  // Hosts refuse an answer that says nothing, and it was named what is not carried over.
  const thinks = thoughts.length > 0 && quirks.reasoning !== undefined;
  return content.length + calls.length === 0 && !thinks ? [] : [message];
}

export function toolCall(block: JsonObject): JsonObject {
  const text = JSON.stringify(block.input ?? {});
  return {
    id: block.id ?? '',
    type: 'function',
    function: { name: block.name ?? '', arguments: text },
  };
}
