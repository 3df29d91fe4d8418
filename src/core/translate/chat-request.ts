import type { Note } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { withPlainNumbers } from '../exact-json.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import type { Recall } from '../provider.ts';
import { withCacheMarks } from './cache-marks.ts';
import { turnsOfChat } from './chat-turns.ts';
import { modernOf } from './legacy-functions.ts';
import { type FieldType, Notes } from './notes.ts';
import { closed, enforced } from './strict-schema.ts';
import {
  addThinking,
  asksToThink,
  takesBoth,
  takesForcedTools,
  takesSampling,
} from './thinking.ts';

export interface Translated {
  readonly body: JsonObject;
  readonly notes: readonly Note[];
  readonly recall?: Recall;
}

/** What Anthropic requires and OpenAI does not. */
export const MAX_TOKENS_DEFAULT = 4096;

/**
 * A chat completion as a request to Anthropic's messages, version 2023-06-01: that one still takes
 * the sampling parameters. What has no counterpart is told, never dropped in silence.
 */
export function chatToMessages(asked: JsonObject, model: string): Translated {
  const notes = new Notes();
  const given = withPlainNumbers(asked);
  notes.types(given, TYPES);
  const { chat, legacy } = modernOf(given);
  const { system, turns } = turnsOfChat(withCacheMarks(chat.messages, notes), notes);
  const limit = numberOf(chat.max_completion_tokens) ?? numberOf(chat.max_tokens);
  const body: Record<string, Json> = {
    model,
    max_tokens: limit ?? MAX_TOKENS_DEFAULT,
    messages: turns,
  };
  if (system !== null) body.system = system;
  if (chat.stream === true) body.stream = true;
  addStop(body, chat.stop, notes);
  addTools(body, chat, notes);
  letChoose(body, notes);
  addFormat(body, chat.response_format, notes);
  addIdentity(body, chat, notes);
  addThinking(body, chat, limit === null, notes);
  addSampling(body, chat, notes);
  noteRest(chat, notes);
  return { body, notes: notes.list, ...(legacy ? { recall: { legacy } } : {}) };
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function addStop(body: Record<string, Json>, stop: Json | undefined, notes: Notes): void {
  const given = (typeof stop === 'string' ? [stop] : Array.isArray(stop) ? stop : []) as Json[];
  // Anthropic refuses stops of white space alone.
  const kept = given.filter((text) => typeof text === 'string' && text.trim() !== '');
  if (kept.length < given.length) notes.add('stop', 'white space alone cannot stop this provider');
  if (kept.length > 0) body.stop_sequences = kept;
}

function addSampling(body: Record<string, Json>, chat: JsonObject, notes: Notes): void {
  addEach(body, chat, notes);
  const { temperature, top_p } = body;
  if (temperature === undefined || top_p === undefined) return;
  if (takesBoth(textIn(body.model))) return;
  // One is what it does anyway.
  if (top_p === 1) delete body.top_p;
  else if (temperature === 1) delete body.temperature;
  else {
    delete body.top_p;
    notes.add('top_p', 'not together with temperature');
  }
}

function addEach(body: Record<string, Json>, chat: JsonObject, notes: Notes): void {
  for (const field of ['temperature', 'top_p', 'top_k'] as const) {
    const value = numberOf(chat[field]);
    if (value === null) continue;
    // One is what it does anyway.
    const neutral = value === 1 && field !== 'top_k';
    if (!takesSampling(textIn(body.model))) {
      if (!neutral) notes.add(field, 'refused by this model');
    } else if (asksToThink(body)) {
      if (!neutral) notes.add(field, 'not together with thinking');
    } else if (field === 'temperature' && value > 1) {
      notes.add(field, 'lowered to 1, the provider’s highest');
      body[field] = 1;
    } else {
      body[field] = value;
    }
  }
}

function addTools(body: Record<string, Json>, chat: JsonObject, notes: Notes): void {
  const allowed = allowedNames(chat.tool_choice);
  const tools = objectsIn(chat.tools).flatMap((tool) => toolOf(tool, notes));
  const kept = allowed ? tools.filter(({ name }) => allowed.includes(textIn(name))) : tools;
  if (kept.length === 0) {
    addCalled(body);
    return;
  }
  body.tools = kept;
  const choice = toolChoice(chat.tool_choice, notes);
  if (chat.parallel_tool_calls === false && choice?.type !== 'none') {
    body.tool_choice = { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true };
  } else if (choice) {
    body.tool_choice = choice;
  }
}

/** Where no call can be forced, the model is asked as if it were free to call. */
function letChoose(body: Record<string, Json>, notes: Notes): void {
  const { tool_choice } = body;
  if (!isObject(tool_choice) || takesForcedTools(textIn(body.model))) return;
  if (tool_choice.type !== 'any' && tool_choice.type !== 'tool') return;
  const { name: _name, ...rest } = tool_choice;
  body.tool_choice = { ...rest, type: 'auto' };
  notes.add('tool_choice', 'became auto: this model refuses a forced call');
}

/**
 * Anthropic refuses calls in a conversation whose tools nobody named: those that were called are
 * named, and none may be called again.
 */
function addCalled(body: Record<string, Json>): void {
  const blocks = objectsIn(body.messages).flatMap(({ content }) => objectsIn(content));
  const calls = blocks.filter(({ type }) => type === 'tool_use');
  const names = new Set(calls.map(({ name }) => textIn(name)));
  if (names.size === 0) return;
  body.tools = [...names].map((name) => ({ name, input_schema: { type: 'object' } }));
  body.tool_choice = { type: 'none' };
}

function toolOf(tool: JsonObject, notes: Notes): JsonObject[] {
  if (!isObject(tool.function)) {
    notes.add(`tools.${textIn(tool.type)}`);
    return [];
  }
  const { name, description, parameters, strict } = tool.function;
  notes.rest('tools', tool, TOOL);
  notes.rest('tools.function', tool.function, FUNCTION);
  const input_schema = schemaOf(parameters);
  const holds = strict === true && isSame(enforced(input_schema), input_schema);
  if (strict === true && !holds) notes.add('tools.strict', 'the provider refuses this schema so');
  return [
    {
      name: name ?? '',
      ...(typeof description === 'string' ? { description } : {}),
      input_schema,
      ...(holds ? { strict } : {}),
      ...(isObject(tool.cache_control) ? { cache_control: tool.cache_control } : {}),
    },
  ];
}

/** Anthropic refuses a schema that does not say that it is an object's. */
function schemaOf(parameters: Json | undefined): JsonObject {
  if (!isObject(parameters)) return { type: 'object', properties: {} };
  return parameters.type === undefined ? { type: 'object', ...parameters } : parameters;
}

const TOOL: ReadonlySet<string> = new Set(['type', 'function', 'cache_control']);
const FUNCTION: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'strict']);

function toolChoice(choice: Json | undefined, notes: Notes): JsonObject | null {
  if (choice === undefined || choice === null) return null;
  if (choice === 'auto') return { type: 'auto' };
  if (choice === 'none') return { type: 'none' };
  if (choice === 'required') return { type: 'any' };
  if (isObject(choice) && isObject(choice.function)) {
    return { type: 'tool', name: choice.function.name ?? '' };
  }
  if (isObject(choice) && isObject(choice.allowed_tools)) {
    return { type: choice.allowed_tools.mode === 'required' ? 'any' : 'auto' };
  }
  notes.add('tool_choice');
  return null;
}

/** With `allowed_tools` only some of the tools may be called: the others are not offered. */
function allowedNames(choice: Json | undefined): readonly string[] | null {
  if (!isObject(choice) || !isObject(choice.allowed_tools)) return null;
  const { tools } = choice.allowed_tools;
  if (!Array.isArray(tools)) return null;
  return objectsIn(tools).map((tool) =>
    isObject(tool.function) ? textIn(tool.function.name) : '',
  );
}

function addFormat(body: Record<string, Json>, format: Json | undefined, notes: Notes): void {
  if (!isObject(format) || format.type === 'text') return;
  const { json_schema } = format;
  if (format.type === 'json_schema' && isObject(json_schema) && isObject(json_schema.schema)) {
    // The provider has one place for a description. A strict schema is closed already.
    const { description } = json_schema;
    const given: JsonObject =
      typeof description === 'string' ? { description, ...json_schema.schema } : json_schema.schema;
    const shut = json_schema.strict === true ? given : closed(given);
    if (!isSame(shut, given)) {
      notes.add('response_format', 'its objects are closed, as the provider demands');
    }
    const schema = enforced(shut);
    if (!isSame(schema, shut)) {
      notes.add(
        'response_format.schema',
        'bounds are said to the model: the provider enforces none',
      );
    }
    body.output_config = { format: { type: 'json_schema', schema } };
  } else {
    notes.add('response_format', 'only json_schema has a counterpart at the provider');
  }
}

function isSame(left: JsonObject, right: JsonObject): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function addIdentity(body: Record<string, Json>, chat: JsonObject, notes: Notes): void {
  const metadata = isObject(chat.metadata) ? chat.metadata : {};
  const user = [chat.safety_identifier, chat.user, metadata.user_id].find(
    (value) => typeof value === 'string' && value !== '',
  );
  if (user !== undefined) body.metadata = { user_id: user };
  if (Object.keys(metadata).some((key) => key !== 'user_id')) notes.add('metadata');
  if (chat.service_tier === 'auto') body.service_tier = 'auto';
  else if (chat.service_tier === 'default') body.service_tier = 'standard_only';
  else if (chat.service_tier) notes.add('service_tier');
}

const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'stream',
  'stream_options',
  'stop',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'user',
  'safety_identifier',
  'metadata',
  'service_tier',
  'thinking',
  'reasoning_effort',
  'temperature',
  'top_p',
  'top_k',
]);

const TYPES: Readonly<Record<string, FieldType>> = {
  max_tokens: 'number',
  max_completion_tokens: 'number',
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  stop: 'string or list',
  tools: 'list',
  functions: 'list',
  function_call: 'string or object',
  tool_choice: 'string or object',
  response_format: 'object',
  reasoning_effort: 'string',
  thinking: 'object',
  metadata: 'object',
};

function noteRest(chat: JsonObject, notes: Notes): void {
  for (const [field, value] of Object.entries(chat)) {
    if (!KNOWN.has(field) && !isNeutral(field, value)) notes.add(field);
  }
}

/** A value that asks for nothing: what the provider does anyway. */
function isNeutral(field: string, value: Json): boolean {
  // A seed of 0 is a seed, and a search without options is a search.
  if (value === 0) return field !== 'seed';
  if (field === 'web_search_options' && isObject(value)) return false;
  if (value === null || value === false || value === '') return true;
  if (field === 'n' && value === 1) return true;
  if (field === 'modalities') return JSON.stringify(value) === '["text"]';
  return typeof value === 'object' && Object.keys(value).length === 0;
}
