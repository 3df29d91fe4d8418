import type { JsonObject } from './canonical.ts';
import { NOTHING } from './decoded.ts';
import { isEmptyMessagesEvent } from './first-token.ts';
import { isObject, parseDecoded } from './json-values.ts';
import type { AnswerFacts, DecodedChunk } from './provider.ts';
import { saidInMessageEvent } from './signals/said-in.ts';
import { sseData } from './sse-event.ts';
import { tokensOfMessages } from './translate/usage.ts';
import { finishOf } from './translate/words.ts';
import { failureInside } from './upstream-failure.ts';

/** One event of Anthropic's stream: what the gateway wants to know of it, and its JSON. */
export interface MessagesEvent {
  readonly decoded: DecodedChunk;
  readonly body: JsonObject | null;
}

/** Reads Anthropic's events; what it counted at the start is told whole again at the end. */
export class MessagesReader {
  #usage: JsonObject = {};

  /** Usage as reported so far, the latest value of each count. */
  get usage(): JsonObject {
    return this.#usage;
  }

  read(event: Uint8Array): MessagesEvent {
    const data = sseData(event);
    if (data === null) return { decoded: { ...NOTHING, event }, body: null };
    if (data.trim() === '') return { decoded: NOTHING, body: null };
    const body = parseDecoded(data, event);
    if (!isObject(body)) return { decoded: { ...NOTHING, event, malformed: true }, body: null };
    if (body.type === 'error' || (body.type === undefined && body.error)) {
      const error = failureInside(body.error ?? null);
      return { decoded: { ...NOTHING, event, error }, body };
    }
    return { decoded: this.#told(event, body), body };
  }

  #told(event: Uint8Array, body: JsonObject): DecodedChunk {
    const done = body.type === 'message_stop';
    const content = hasContent(body);
    const empty = !content && isEmptyMessagesEvent(body);
    return { ...NOTHING, event, done, facts: this.#facts(body), content, empty };
  }

  #facts(body: JsonObject): Partial<AnswerFacts> {
    const facts: { -readonly [key in keyof AnswerFacts]?: AnswerFacts[key] } = {};
    const message = isObject(body.message) ? body.message : {};
    if (typeof message.id === 'string') facts.completion_id = message.id;
    if (typeof message.model === 'string') facts.model = message.model;
    const usage = isObject(message.usage) ? message.usage : body.usage;
    if (isObject(usage)) {
      const counted = Object.entries(usage).filter(([, value]) => value !== null);
      this.#usage = { ...this.#usage, ...Object.fromEntries(counted) };
      facts.tokens = tokensOfMessages(this.#usage);
    }
    const { stop_reason } = isObject(body.delta) ? body.delta : message;
    if (typeof stop_reason === 'string') facts.finish = finishOf(stop_reason);
    const said = saidInMessageEvent(body);
    if (said) facts.said = said;
    return facts;
  }
}

function hasContent(body: JsonObject): boolean {
  if (body.type === 'content_block_start' && isObject(body.content_block)) {
    const { type, text, thinking } = body.content_block;
    return type === 'text' || type === 'thinking' ? Boolean(text || thinking) : true;
  }
  if (body.type !== 'content_block_delta' || !isObject(body.delta)) return false;
  const { text, thinking, partial_json, signature, citation } = body.delta;
  return Boolean(text || thinking || partial_json || signature || citation);
}
