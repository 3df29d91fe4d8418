import type { Tokens } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import { isPresent, NOTHING, readAnswer, spent, wholeFacts } from './decoded.ts';
import { isEmptyChunk } from './first-token.ts';
import { isObject, parseDecoded } from './json-values.ts';
import type {
  AnswerFacts,
  DecodedAnswer,
  DecodedChunk,
  UpstreamAnswer,
  UpstreamFailure,
} from './provider.ts';
import { saidInChoice } from './signals/said-in.ts';
import { sseData } from './sse-event.ts';
import { tokensOfChat, usageOfChat } from './translate/usage.ts';
import { brokenAnswer, failureInside } from './upstream-failure.ts';

/**
 * OpenAI's chat completions on the wire, as every compatible upstream speaks them, and its older
 * completions, whose choices have `text` instead.
 */
export function decodeChat(answer: UpstreamAnswer): DecodedAnswer {
  const read = readAnswer(answer, tokensOf);
  if (!('body' in read)) return read;
  const { body } = read;
  if (!Array.isArray(body.choices)) {
    const error = brokenAnswer('The upstream’s answer has no choices.');
    return { ok: false, error, ...spent(tokensOf(body.usage)) };
  }
  const facts = wholeFacts(factsOf(body));
  if (hasFailed(facts)) {
    return { ok: false, error: failedChoice(body), ...spent(tokensOf(body.usage)) };
  }
  return { ok: true, body: answer.body, facts };
}

/**
 * What OpenRouter, Z.ai and DeepSeek say of an answer whose making broke off: it comes with status
 * 200, and with what there was of it.
 */
const FAILED: ReadonlySet<string> = new Set([
  'error',
  'network_error',
  'insufficient_system_resource',
]);

function hasFailed({ finish }: Partial<AnswerFacts>): boolean {
  return typeof finish === 'string' && FAILED.has(finish);
}

function failedChoice(body: JsonObject): UpstreamFailure {
  const error = firstChoice(body)?.error;
  if (isPresent(error)) return failureInside(error as Json);
  return brokenAnswer('The upstream says that its answer broke off.');
}

/** One event of a stream: what the gateway wants to know of it, and its JSON. */
export interface ChatChunk {
  readonly decoded: DecodedChunk;
  readonly body: JsonObject | null;
}

export function decodeChatChunk(event: Uint8Array): DecodedChunk {
  return readChatChunk(event).decoded;
}

export function readChatChunk(event: Uint8Array): ChatChunk {
  const data = sseData(event);
  if (data?.trim() === '[DONE]') return { decoded: { ...NOTHING, event, done: true }, body: null };
  // A comment keeps the connection alive; empty data would make clients parse nothing, and throw.
  if (data === null) return { decoded: { ...NOTHING, event }, body: null };
  if (data.trim() === '') return { decoded: NOTHING, body: null };
  const body = parseDecoded(data, event);
  if (!isObject(body)) return { decoded: { ...NOTHING, event, malformed: true }, body: null };
  if (isPresent(body.error)) {
    const error = failureInside(body.error as Json);
    return { decoded: { ...NOTHING, event, error, facts: spent(tokensOf(body.usage)) }, body };
  }
  const facts = factsOf(body);
  if (hasFailed(facts)) {
    const told = spent(tokensOf(body.usage));
    return { decoded: { ...NOTHING, event, error: failedChoice(body), facts: told }, body };
  }
  const choices = Array.isArray(body.choices) ? (body.choices as readonly Json[]) : null;
  const content = choices?.some((choice) => isObject(choice) && hasContent(choice)) ?? false;
  const decoded = {
    ...NOTHING,
    event,
    facts,
    // What was found in moderation comes in a chunk without choices too.
    usage_only: choices?.length === 0 && isObject(body.usage) && !isPresent(body.moderation),
    content,
    empty: !content && isEmptyChunk(body),
  };
  return { decoded, body };
}

export function factsOf(body: JsonObject): Partial<AnswerFacts> {
  const facts: { -readonly [key in keyof AnswerFacts]?: AnswerFacts[key] } = {};
  if (typeof body.id === 'string') facts.completion_id = body.id;
  if (typeof body.model === 'string') facts.model = body.model;
  const choice = firstChoice(body);
  const finish = choice?.finish_reason;
  if (typeof finish === 'string') facts.finish = finish;
  const usage = usageOfChat(body, choice);
  const tokens = usage && tokensOf(usage);
  if (tokens !== null) facts.tokens = tokens;
  const said = choice && saidInChoice(choice);
  if (said) facts.said = said;
  return facts;
}

/**
 * Choice 0: with `n` > 1 chunks of several choices are mixed, and only the first one is told of.
 */
function firstChoice(body: JsonObject): JsonObject | null {
  if (!Array.isArray(body.choices)) return null;
  for (const choice of body.choices as readonly Json[]) {
    if (isObject(choice) && (choice.index ?? 0) === 0) return choice;
  }
  return null;
}

function tokensOf(usage: unknown): Tokens | null {
  if (!isObject(usage)) return null;
  if (usage.prompt_tokens === undefined && usage.completion_tokens === undefined) return null;
  return tokensOfChat(usage);
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
function hasContent({ delta, text }: JsonObject): boolean {
  if (!isObject(delta)) return typeof text === 'string' && text !== '';
  return CONTENT_KEYS.some((key) => {
    const value = delta[key];
    if (Array.isArray(value)) return value.length > 0;
    return value !== undefined && value !== null && value !== '';
  });
}
