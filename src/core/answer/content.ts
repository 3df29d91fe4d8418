import { bufferOf } from '../buffer-of.ts';
import type { Endpoint } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn, parseJson, parseText, textIn } from '../json-values.ts';
import { sseData } from '../sse-event.ts';
import type { AnswerContent, AnsweredTool } from './answer.ts';

/** What an answer says, in any dialect. Nothing here throws, whatever an upstream has sent. */

/** Of a whole answer's bytes. */
export function contentOfBody(endpoint: Endpoint, bytes: Uint8Array): AnswerContent {
  const said = new Gathered();
  const body = parseJson(bytes);
  if (isObject(body)) readBody(said, endpoint, body);
  return said.content();
}

/** Of a stream's events, in the dialect of the endpoint; an event may be several in a row. */
export function contentOfEvents(
  endpoint: Endpoint,
  events: readonly (Uint8Array | null)[],
): AnswerContent {
  const said = new Gathered();
  for (const event of events) {
    if (event === null) continue;
    for (const data of datasOf(event)) {
      const body = parseText(data);
      if (isObject(body)) readEvent(said, endpoint, body);
    }
  }
  return said.content();
}

/** A translated event may have become several. */
function datasOf(event: Uint8Array): readonly string[] {
  const text = bufferOf(event).toString('utf8');
  return text.split(/\r\n\r\n|\n\n|\r\r/).flatMap((one) => {
    const data = one === '' ? null : sseData(Buffer.from(one));
    return data === null ? [] : [data];
  });
}

class Gathered {
  #text: string[] = [];
  #refused = false;
  /** By the place that the dialect gives them. */
  readonly #tools = new Map<number, { name: string; arguments: string }>();
  #logprobs = 0;
  #tokens = 0;

  say(text: Json | undefined): void {
    if (typeof text === 'string' && text !== '') this.#text.push(text);
  }

  refuse(text: Json | undefined): void {
    if (typeof text !== 'string' || text === '') return;
    this.#refused = true;
    this.#text.push(text);
  }

  refused(): void {
    this.#refused = true;
  }

  tool(place: number, name: Json | undefined, part: Json | undefined): void {
    const known = this.#tools.get(place) ?? { name: '', arguments: '' };
    known.name ||= textIn(name);
    known.arguments += typeof part === 'string' ? part : '';
    this.#tools.set(place, known);
  }

  logprob(value: Json | undefined): void {
    if (typeof value !== 'number') return;
    this.#logprobs += value;
    this.#tokens += 1;
  }

  /** What comes now says all of it again. */
  restart(): void {
    this.#text = [];
    this.#tools.clear();
    this.#logprobs = 0;
    this.#tokens = 0;
  }

  content(): AnswerContent {
    const tools: readonly AnsweredTool[] = [...this.#tools]
      .sort(([left], [right]) => left - right)
      .map(([, tool]) => tool);
    const logprob = this.#tokens === 0 ? null : this.#logprobs / this.#tokens;
    return { text: this.#text.join(''), refused: this.#refused, tools, logprob };
  }
}

function readBody(said: Gathered, endpoint: Endpoint, body: JsonObject): void {
  if (endpoint === 'messages') readMessage(said, body);
  else if (endpoint === 'responses') readResponse(said, body);
  else readChoice(said, body, 'message');
}

function readEvent(said: Gathered, endpoint: Endpoint, body: JsonObject): void {
  if (endpoint === 'messages') readMessageEvent(said, body);
  else if (endpoint === 'responses') readResponseEvent(said, body);
  else readChoice(said, body, 'delta');
}

/** A chat completion, a chunk of one, or an older completion, whose text stands in the choice. */
function readChoice(said: Gathered, body: JsonObject, key: 'message' | 'delta'): void {
  const choice = objectsIn(body.choices).find(({ index }) => (index ?? 0) === 0);
  if (choice === undefined) return;
  said.say(choice.text);
  if (isObject(choice.logprobs)) {
    for (const { logprob } of objectsIn(choice.logprobs.content)) said.logprob(logprob);
    const older = choice.logprobs.token_logprobs;
    if (Array.isArray(older)) for (const value of older as readonly Json[]) said.logprob(value);
  }
  const message = choice[key];
  if (!isObject(message)) return;
  said.say(message.content);
  for (const { text } of objectsIn(message.content)) said.say(text);
  said.refuse(message.refusal);
  for (const [at, call] of objectsIn(message.tool_calls).entries()) {
    const made = isObject(call.function) ? call.function : {};
    said.tool(typeof call.index === 'number' ? call.index : at, made.name, made.arguments);
  }
  const older = message.function_call;
  if (isObject(older)) said.tool(0, older.name, older.arguments);
}

function readMessage(said: Gathered, body: JsonObject): void {
  for (const [at, block] of objectsIn(body.content).entries()) {
    if (block.type === 'text') said.say(block.text);
    if (block.type === 'tool_use') said.tool(at, block.name, JSON.stringify(block.input ?? {}));
  }
  if (body.stop_reason === 'refusal') said.refused();
}

function readMessageEvent(said: Gathered, body: JsonObject): void {
  const at = typeof body.index === 'number' ? body.index : 0;
  const { content_block: block, delta } = body;
  if (body.type === 'content_block_start' && isObject(block)) {
    if (block.type === 'text') said.say(block.text);
    if (block.type === 'tool_use') said.tool(at, block.name, '');
  }
  if (!isObject(delta)) return;
  if (body.type === 'content_block_delta') {
    said.say(delta.text);
    if (typeof delta.partial_json === 'string') said.tool(at, '', delta.partial_json);
  }
  if (body.type === 'message_delta' && delta.stop_reason === 'refusal') said.refused();
}

function readResponse(said: Gathered, body: JsonObject): void {
  for (const [at, item] of objectsIn(body.output).entries()) {
    if (item.type === 'function_call') said.tool(at, item.name, item.arguments);
    else if (typeof item.type === 'string' && item.type.endsWith('_call')) said.tool(at, '', '{}');
    for (const part of objectsIn(item.content)) {
      if (part.type === 'output_text' || part.type === 'text') said.say(part.text);
      if (part.type === 'refusal') said.refuse(part.refusal);
      for (const { logprob } of objectsIn(part.logprobs)) said.logprob(logprob);
    }
  }
}

/** Its last event has the whole answer once more. */
function readResponseEvent(said: Gathered, body: JsonObject): void {
  if (body.type === 'response.output_text.delta') said.say(body.delta);
  if (body.type === 'response.refusal.delta') said.refuse(body.delta);
  if (!isObject(body.response)) return;
  if (body.type !== 'response.completed' && body.type !== 'response.incomplete') return;
  if (objectsIn(body.response.output).length === 0) return;
  said.restart();
  readResponse(said, body.response);
}
