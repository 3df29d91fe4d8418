import type { Call } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';

/** What of a conversation the rules look at; texts are the call's own and are not kept. */
export interface Turns {
  /** The last message of the user since the last answer, or null. */
  readonly user: string | null;
  /** The user's messages before that answer, the newest first, two at most. */
  readonly earlier: readonly string[];
  /** Results of tools since the last answer. */
  readonly results: readonly JsonObject[];
}

const NO_TURNS: Turns = { user: null, earlier: [], results: [] };
const EARLIER_MAX = 2;
/** Messages looked at, from the newest back. */
const MESSAGES_MAX = 64;

/** Reads a call's messages from the end; never throws, whatever they are. */
export function turnsOf({ endpoint, body }: Pick<Call, 'endpoint' | 'body'>): Turns {
  if (endpoint === 'completions') {
    return typeof body.prompt === 'string' ? { ...NO_TURNS, user: body.prompt } : NO_TURNS;
  }
  const messages = endpoint === 'responses' ? body.input : body.messages;
  if (typeof messages === 'string') return { ...NO_TURNS, user: messages };
  if (!Array.isArray(messages)) return NO_TURNS;
  const reader = new TurnReader();
  const last = Math.max(0, messages.length - MESSAGES_MAX);
  for (let at = messages.length - 1; at >= last && !reader.done; at -= 1) {
    const message = messages[at] as Json;
    if (isObject(message)) reader.read(message);
  }
  return reader;
}

/** Takes messages from the newest back. */
class TurnReader implements Turns {
  user: string | null = null;
  readonly earlier: string[] = [];
  readonly results: JsonObject[] = [];
  #answered = false;

  get done(): boolean {
    return this.earlier.length >= EARLIER_MAX;
  }

  read(message: JsonObject): void {
    const { role, type, content } = message;
    if (role === 'user') this.#readUser(content);
    else if (role === 'assistant' || type === 'function_call') this.#answered = true;
    else if (!this.#answered && (role === 'tool' || type === 'function_call_output')) {
      this.results.push(message);
    }
  }

  #readUser(content: Json | undefined): void {
    const text = textOf(content);
    if (this.#answered) {
      if (text !== null) this.earlier.push(text);
      return;
    }
    this.user ??= text;
    addResults(this.results, content);
  }
}

/** Anthropic's results stand in messages of the user. */
function addResults(results: JsonObject[], content: Json | undefined): void {
  if (!Array.isArray(content)) return;
  for (const part of content as readonly Json[]) {
    if (isObject(part) && part.type === 'tool_result') results.push(part);
  }
}

/** The text of a message's content, or null where it has none. */
export function textOf(content: Json | undefined): string | null {
  if (typeof content === 'string') return content === '' ? null : content;
  if (!Array.isArray(content)) return null;
  let text: string | null = null;
  for (const part of content as readonly Json[]) {
    if (!isObject(part) || typeof part.text !== 'string' || part.text === '') continue;
    text = text === null ? part.text : `${text}\n${part.text}`;
  }
  return text;
}

/** What the client tells the model beforehand: the system's text, wherever its dialect has it. */
export function systemOf({ endpoint, body }: Pick<Call, 'endpoint' | 'body'>): string | null {
  if (endpoint === 'responses') return textOf(body.instructions);
  if (endpoint === 'messages') return textOf(body.system);
  const messages = Array.isArray(body.messages) ? (body.messages as readonly Json[]) : [];
  for (const message of messages.slice(0, MESSAGES_MAX)) {
    if (!isObject(message)) continue;
    if (message.role === 'system' || message.role === 'developer') return textOf(message.content);
  }
  return null;
}
