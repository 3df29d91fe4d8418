import type { Tokens } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import type {
  AnswerFacts,
  DecodedAnswer,
  DecodedChunk,
  ProviderRequest,
  UpstreamAnswer,
  UpstreamRequest,
} from './provider.ts';
import { spliceBody } from './splice.ts';
import { sseData } from './sse-event.ts';
import { brokenAnswer, failureInside, failureOf, isObject, parseJson } from './upstream-failure.ts';

/**
 * OpenAI's chat completions on the wire, as every compatible upstream speaks them. Providers of
 * that dialect are these three functions with a base URL, headers and small differences of their
 * own.
 */
export function encodeChat(
  request: ProviderRequest,
  upstream: { readonly base_url: string; readonly headers: Readonly<Record<string, string>> },
): UpstreamRequest {
  const { call, patch } = request;
  const fields: Record<string, Json> = { ...patch, model: request.model };
  if (request.include_usage) {
    const options = patch.stream_options ?? call.body.stream_options;
    fields.stream_options = { ...(isObject(options) ? options : {}), include_usage: true };
  }
  return {
    method: 'POST',
    path: `${basePath(upstream.base_url)}/chat/completions`,
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
      ...upstream.headers,
    },
    body: spliceBody(call.raw, fields),
  };
}

/** The path of a base URL without a trailing slash; an empty URL (engine not up) has none. */
function basePath(base_url: string): string {
  return base_url === '' ? '' : new URL(base_url).pathname.replace(/\/+$/, '');
}

export function decodeChat(answer: UpstreamAnswer): DecodedAnswer {
  if (answer.status < 200 || answer.status > 299) return { ok: false, error: failureOf(answer) };
  const body = parseJson(answer.body);
  if (!isObject(body)) return { ok: false, error: brokenAnswer(notJson(answer)) };
  if (isPresent(body.error)) return { ok: false, error: failureInside(body.error as Json) };
  if (!Array.isArray(body.choices)) {
    return { ok: false, error: brokenAnswer('The upstream’s answer has no choices.') };
  }
  const { facts } = factsOf(body);
  return { ok: true, body: answer.body, facts: { ...NO_FACTS, ...facts } };
}

const NO_FACTS: AnswerFacts = {
  completion_id: null,
  model: null,
  finish: null,
  tokens: null,
  adapter: null,
};

function notJson(answer: UpstreamAnswer): string {
  const what = answer.body.length === 0 ? 'is empty' : 'is not a JSON object';
  return `The upstream answered status ${answer.status}, but its body ${what}.`;
}

const NOTHING: DecodedChunk = {
  event: null,
  done: false,
  usage_only: false,
  error: null,
  facts: {},
  content: false,
  malformed: false,
};

export function decodeChatChunk(event: Uint8Array): DecodedChunk {
  const data = sseData(event);
  if (data?.trim() === '[DONE]') return { ...NOTHING, event, done: true };
  // A comment keeps the connection alive; empty data would make clients parse nothing, and throw.
  if (data === null) return { ...NOTHING, event };
  if (data.trim() === '') return NOTHING;
  const chunk = parseText(data);
  if (!isObject(chunk)) return { ...NOTHING, event, malformed: true };
  if (isPresent(chunk.error)) {
    return { ...NOTHING, event, error: failureInside(chunk.error as Json) };
  }
  const choices = Array.isArray(chunk.choices) ? chunk.choices : [];
  const { facts, usage } = factsOf(chunk);
  return {
    ...NOTHING,
    event,
    facts,
    usage_only: usage && Array.isArray(chunk.choices) && choices.length === 0,
    content: choices.some((choice) => isObject(choice) && hasContent(choice.delta)),
  };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPresent(error: unknown): boolean {
  return error !== undefined && error !== null && error !== false;
}

function factsOf(body: JsonObject): {
  readonly facts: Partial<AnswerFacts>;
  readonly usage: boolean;
} {
  const facts: { -readonly [key in keyof AnswerFacts]?: AnswerFacts[key] } = {};
  if (typeof body.id === 'string') facts.completion_id = body.id;
  if (typeof body.model === 'string') facts.model = body.model;
  const finish = firstChoice(body)?.finish_reason;
  if (typeof finish === 'string') facts.finish = finish;
  const tokens = tokensOf(body.usage);
  if (tokens !== null) facts.tokens = tokens;
  return { facts, usage: isObject(body.usage) };
}

/**
 * Choice 0: with `n` > 1 chunks of several choices are mixed, and only the first one is told of.
 */
function firstChoice(body: JsonObject): JsonObject | null {
  if (!Array.isArray(body.choices)) return null;
  const choices = (body.choices as readonly Json[]).filter(isObject);
  return choices.find((choice) => (choice.index ?? 0) === 0) ?? null;
}

function tokensOf(usage: unknown): Tokens | null {
  if (!isObject(usage)) return null;
  if (usage.prompt_tokens === undefined && usage.completion_tokens === undefined) return null;
  const details = usage.prompt_tokens_details;
  return {
    in: count(usage.prompt_tokens),
    cached: isObject(details) ? count(details.cached_tokens) : 0,
    out: count(usage.completion_tokens),
    estimated: false,
  };
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

const CONTENT_KEYS = [
  'content',
  'tool_calls',
  'function_call',
  'refusal',
  'reasoning',
  'reasoning_content',
  'audio',
];

/** The opening delta has `role` and an empty `content`: no answer yet. */
function hasContent(delta: unknown): boolean {
  if (!isObject(delta)) return false;
  return CONTENT_KEYS.some((key) => {
    const value = delta[key];
    if (Array.isArray(value)) return value.length > 0;
    return value !== undefined && value !== null && value !== '';
  });
}
