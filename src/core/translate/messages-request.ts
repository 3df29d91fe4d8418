import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../canonical.ts';
import { withPlainNumbers } from '../exact-json.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import type { Translated } from './chat-request.ts';
import { fitCalls } from './fit-calls.ts';
import { chatOfTurns } from './messages-turns.ts';
import { type FieldType, Notes, saysAnything } from './notes.ts';
import type { ChatQuirks } from './quirks.ts';
import { isStrict } from './strict-schema.ts';
import { effortOfThinking, knownEffort, noteThinking } from './thinking.ts';
import { ToolNames } from './tool-names.ts';

export const REFUSED_BY_HOST = 'refused by this host';

/** OpenAI stops at four texts at most. */
const STOPS_MAX = 4;

/** A request to Anthropic's messages as a chat completion. */
export function messagesToChat(
  asked: JsonObject,
  model: string,
  quirks: ChatQuirks = {},
): Translated {
  const notes = new Notes();
  const messages = withPlainNumbers(asked);
  const names = new ToolNames();
  notes.types(messages, TYPES);
  const chat = fitCalls(chatOfTurns(messages, quirks, notes, names), model, quirks, notes);
  const body: Record<string, Json> = { model, messages: chat };
  if (messages.max_tokens !== undefined) {
    body[quirks.limit ?? 'max_completion_tokens'] = messages.max_tokens;
  }
  if (messages.stream === true) {
    body.stream = true;
    if (quirks.stream_options !== false) body.stream_options = { include_usage: true };
  }
  notePrefill(objectsIn(messages.messages).at(-1), notes);
  addStops(body, messages.stop_sequences, notes);
  addSampling(body, messages, quirks, notes);
  addTools(body, messages, notes, names);
  addOutput(body, messages, model, quirks, notes);
  addIdentity(body, messages, notes);
  for (const [field, value] of Object.entries(messages)) {
    if (!KNOWN.has(field) && saysAnything(value)) notes.add(field);
  }
  for (const field of quirks.lacks ?? []) leaveOut(body, field, REFUSED_BY_HOST, notes);
  for (const field of refusedBy(body, model, quirks)) {
    // One is what it does anyway.
    if (body[field] === 1) delete body[field];
    leaveOut(body, field, 'refused by this model', notes);
  }
  const { originals } = names;
  return { body, notes: notes.list, ...(originals ? { recall: { names: originals } } : {}) };
}

function refusedBy(body: JsonObject, model: string, quirks: ChatQuirks): readonly string[] {
  const { fixed, fixed_by_effort, no_stop } = quirks;
  const thinks = fixed_by_effort === true && body.reasoning_effort !== undefined;
  const stops = fixed?.test(model) || no_stop?.test(model) ? ['stop'] : [];
  return fixed?.test(model) || thinks ? ['temperature', 'top_p', ...stops] : stops;
}

/** Anthropic goes on from the text of a last answer. */
function notePrefill(last: JsonObject | undefined, notes: Notes): void {
  if (last?.role !== 'assistant') return;
  const text = typeof last.content === 'string' || objectsIn(last.content).at(-1)?.type === 'text';
  if (text) notes.add('messages.assistant', 'last of all: the provider may begin an answer anew');
}

function leaveOut(body: Record<string, Json>, field: string, reason: string, notes: Notes): void {
  if (body[field] === undefined) return;
  delete body[field];
  notes.add(field, reason);
}

function addStops(body: Record<string, Json>, stops: Json | undefined, notes: Notes): void {
  if (!Array.isArray(stops) || stops.length === 0) return;
  if (stops.length > STOPS_MAX) notes.add('stop_sequences', `only the first ${STOPS_MAX}`);
  body.stop = stops.slice(0, STOPS_MAX);
}

function addSampling(
  body: Record<string, Json>,
  messages: JsonObject,
  quirks: ChatQuirks,
  notes: Notes,
): void {
  if (messages.temperature !== undefined) body.temperature = messages.temperature;
  if (messages.top_p !== undefined) body.top_p = messages.top_p;
  if (messages.top_k === undefined) return;
  if (quirks.knows?.includes('top_k')) body.top_k = messages.top_k;
  else notes.add('top_k');
}

function addTools(
  body: Record<string, Json>,
  messages: JsonObject,
  notes: Notes,
  names: ToolNames,
): void {
  const tools = objectsIn(messages.tools).flatMap((tool) => functionOf(tool, notes, names));
  if (tools.length === 0) return;
  body.tools = tools;
  const choice = messages.tool_choice;
  if (!isObject(choice)) return;
  notes.rest('tool_choice', choice, CHOICE);
  if (choice.disable_parallel_tool_use === true) body.parallel_tool_calls = false;
  if (choice.type === 'any') body.tool_choice = 'required';
  else if (choice.type === 'auto' || choice.type === 'none') body.tool_choice = choice.type;
  else if (choice.type === 'tool' && !isOfAnthropic(messages.tools, choice.name)) {
    const name = names.sent(choice.name, notes);
    body.tool_choice = { type: 'function', function: { name } };
  } else notes.add('tool_choice');
}

const CHOICE: ReadonlySet<string> = new Set(['type', 'name', 'disable_parallel_tool_use']);

/** Such a tool is not offered, so that nobody can be made to call it. */
function isOfAnthropic(tools: Json | undefined, name: Json | undefined): boolean {
  return objectsIn(tools).some((tool) => tool.name === name && !isOwn(tool));
}

function isOwn({ type }: JsonObject): boolean {
  return type === undefined || type === null || type === 'custom';
}

function functionOf(tool: JsonObject, notes: Notes, names: ToolNames): JsonObject[] {
  if (!isOwn(tool)) {
    notes.add(`tools.${textIn(tool.type)}`, 'a tool of Anthropic’s own');
    return [];
  }
  if (tool.cache_control) notes.add('cache_control', 'the provider caches by itself, or not');
  const { name, description, input_schema, strict } = tool;
  notes.rest('tools', tool, TOOL);
  const described: JsonObject = {
    name: names.sent(name, notes),
    ...(description === undefined ? {} : { description }),
    parameters: input_schema ?? { type: 'object', properties: {} },
    ...(strict === true && isStrict(input_schema) ? { strict } : {}),
  };
  if (strict === true && !isStrict(input_schema)) {
    notes.add('tools.strict', 'the host refuses this schema so');
  }
  return [{ type: 'function', function: described }];
}

const TOOL: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
]);

function addOutput(
  body: Record<string, Json>,
  messages: JsonObject,
  model: string,
  quirks: ChatQuirks,
  notes: Notes,
): void {
  const config = isObject(messages.output_config) ? messages.output_config : {};
  notes.rest('output_config', config, OUTPUT);
  const format = config.format ?? messages.output_format;
  if (isObject(format) && isObject(format.schema)) {
    const strict = isStrict(format.schema);
    if (!strict) notes.add('output_config.format', 'not strict: the host refuses this schema so');
    const json_schema = { name: 'answer', schema: format.schema, ...(strict ? { strict } : {}) };
    body.response_format = { type: 'json_schema', json_schema };
  }
  const takes_effort = quirks.effort?.test(model) ?? false;
  noteThinking(messages, takes_effort, notes);
  const effort = effortOfThinking(messages);
  if (effort === null) return;
  const above = quirks.xhigh?.test(model) ?? false;
  if (takes_effort) body.reasoning_effort = knownEffort(effort, above, notes);
  else notes.add('thinking', 'this model is not known to take an effort');
}

const OUTPUT: ReadonlySet<string> = new Set(['format', 'effort']);

function addIdentity(body: Record<string, Json>, messages: JsonObject, notes: Notes): void {
  const { metadata, service_tier } = messages;
  if (isObject(metadata)) {
    if (typeof metadata.user_id === 'string') body.user = userOf(metadata.user_id, notes);
    notes.rest('metadata', metadata, IDENTITY);
  }
  if (service_tier === 'auto') body.service_tier = 'auto';
  else if (service_tier === 'standard_only') body.service_tier = 'default';
  else if (service_tier) notes.add('service_tier');
}

/** OpenAI's longest name of a user; a digest in hex is as long. */
const USER_MAX = 64;

function userOf(user_id: string, notes: Notes): string {
  if (user_id.length <= USER_MAX) return user_id;
  notes.add('metadata.user_id', `over ${USER_MAX} characters: its SHA-256 in its place`);
  return createHash('sha256').update(user_id).digest('hex');
}

const IDENTITY: ReadonlySet<string> = new Set(['user_id']);

const TYPES: Readonly<Record<string, FieldType>> = {
  system: 'string or list',
  stop_sequences: 'list',
  tools: 'list',
  tool_choice: 'object',
  thinking: 'object',
  output_config: 'object',
  metadata: 'object',
};

const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'stream',
  'stop_sequences',
  'temperature',
  'top_p',
  'top_k',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'service_tier',
]);
