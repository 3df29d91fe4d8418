import type { Tokens } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import { isPresent, NO_FACTS, NOT_YET, NOTHING, readAnswer, spent, wholeFacts } from './decoded.ts';
import { isEmptyResponseEvent } from './first-token.ts';
import { isObject, parseDecoded, parseJson, textIn } from './json-values.ts';
import type { AnswerFacts, DecodedAnswer, DecodedChunk, UpstreamAnswer } from './provider.ts';
import { saidInResponse, saidInResponseEvent } from './signals/said-in.ts';
import { sseData } from './sse-event.ts';
import { count } from './translate/usage.ts';
import { brokenAnswer, failureInside, failureOf } from './upstream-failure.ts';

/** OpenAI's responses: relayed whole, read only for what the record wants to know. */
export function decodeResponse(answer: UpstreamAnswer): DecodedAnswer {
  const read = readAnswer(answer, tokensOf);
  if (!('body' in read)) return read;
  const facts = factsOf(read.body);
  if (facts.tokens === undefined && isWaiting(read.body)) facts.tokens = NOT_YET;
  return {
    ok: true,
    body: answer.body,
    facts: wholeFacts({ ...facts, said: saidInResponse(read.body) }),
  };
}

/** It is made in the background, and told when it is asked for again. */
function isWaiting({ status }: JsonObject): boolean {
  return status === 'queued' || status === 'in_progress';
}

/** What is not an answer of a model's to somebody: counted tokens, and a compacted conversation. */
export function decodeBesides(answer: UpstreamAnswer): DecodedAnswer {
  const read = readAnswer(answer, tokensOf);
  if (!('body' in read)) return read;
  return { ok: true, body: answer.body, facts: wholeFacts(factsOf(read.body)) };
}

/**
 * What a provider says of a response that it keeps: one that failed long ago has an `error`, and is
 * no failure of this request.
 */
export function decodeStored(answer: UpstreamAnswer): DecodedAnswer {
  if (answer.status < 200 || answer.status > 299) return { ok: false, error: failureOf(answer) };
  const body = parseJson(answer.body);
  if (!isObject(body)) return { ok: false, error: brokenAnswer(NO_OBJECT) };
  if (isPresent(body.error) && typeof body.id !== 'string') {
    return { ok: false, error: failureInside(body.error as Json) };
  }
  return {
    ok: true,
    body: answer.body,
    facts: { ...NO_FACTS, tokens: isWaiting(body) ? null : tokensOf(body.usage) },
  };
}

const NO_OBJECT = 'The upstream’s answer is not a JSON object.';

/** The stream of one that it keeps, in which a failure is what is told, as in `decodeStored`. */
export function decodeStoredEvent(event: Uint8Array): DecodedChunk {
  const chunk = decodeBackgroundEvent(event);
  return chunk.done && chunk.error ? { ...chunk, error: null } : chunk;
}

/**
 * The stream of a response that is made whether anybody hears of it or not: its first event has the
 * id by which it can be cancelled or waited for, so it is not held until a token comes.
 */
export function decodeBackgroundEvent(event: Uint8Array): DecodedChunk {
  return { ...decodeResponseEvent(event), empty: false };
}

/** The events after which nothing follows; there is no `[DONE]`. */
const LAST: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete']);

export function decodeResponseEvent(event: Uint8Array): DecodedChunk {
  const data = sseData(event);
  if (data === null) return { ...NOTHING, event };
  if (data.trim() === '') return NOTHING;
  // Of another dialect: some hosts add it after the last event, and before that it ends nothing.
  if (data.trim() === '[DONE]') return NOTHING;
  const body = parseDecoded(data, event);
  if (!isObject(body)) return { ...NOTHING, event, malformed: true };
  const response = isObject(body.response) ? body.response : null;
  if (body.type === 'error' || isPresent(body.error)) {
    return { ...NOTHING, event, error: failureInside(body.error ?? body) };
  }
  if (body.type === 'response.failed') {
    // Its own last word: amid an answer the client gets it as it is.
    const error = failureInside(response?.error ?? null);
    return { ...NOTHING, event, done: true, error, facts: spent(tokensOf(response?.usage)) };
  }
  const type = textIn(body.type);
  const content = type.endsWith('.delta');
  return {
    ...NOTHING,
    event,
    done: LAST.has(type),
    facts: { ...(response ? factsOf(response) : {}), said: saidInResponseEvent(body) },
    content,
    empty: !content && isEmptyResponseEvent(type, body),
  };
}

function factsOf(response: JsonObject): Partial<Writable> {
  const facts: Partial<Writable> = {};
  if (typeof response.id === 'string') facts.completion_id = response.id;
  if (typeof response.model === 'string') facts.model = response.model;
  const tokens = tokensOf(response.usage);
  if (tokens) facts.tokens = tokens;
  const finish = finishOf(response);
  if (finish) facts.finish = finish;
  return facts;
}

type Writable = { -readonly [key in keyof AnswerFacts]: AnswerFacts[key] };

function finishOf({ status, incomplete_details }: JsonObject): string | null {
  if (status === 'completed') return 'stop';
  if (status !== 'incomplete') return null;
  const reason = isObject(incomplete_details) ? incomplete_details.reason : null;
  return reason === 'content_filter' ? 'content_filter' : 'length';
}

function tokensOf(usage: unknown): Tokens | null {
  if (!isObject(usage)) return null;
  const details = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const written = count(details.cache_write_tokens);
  const tokens = {
    in: count(usage.input_tokens),
    cached: count(details.cached_tokens),
    out: count(usage.output_tokens),
    estimated: false,
  };
  return written === 0 ? tokens : { ...tokens, written };
}
