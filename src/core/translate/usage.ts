import type { Tokens } from '../call.ts';
import type { JsonObject } from '../canonical.ts';
import { isObject, objectsIn } from '../json-values.ts';
import { sumOfTokens } from '../tokens.ts';

/** What an answer has cost, in the words of both dialects and of their hosts. */

export function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

/**
 * Anthropic's usage as OpenAI's: its input tokens leave out what was read from and written to the
 * cache, while `prompt_tokens` is the whole prompt. What it says besides goes as it is.
 */
export function chatUsageOf(usage: JsonObject): JsonObject {
  const { in: prompt_tokens, cached, written = 0, out } = tokensOfMessages(usage);
  const thought = isObject(usage.output_tokens_details)
    ? usage.output_tokens_details.thinking_tokens
    : undefined;
  return {
    ...othersOf(usage, MESSAGES_USAGE),
    prompt_tokens,
    completion_tokens: out,
    total_tokens: prompt_tokens + out,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    ...(thought ? { completion_tokens_details: { reasoning_tokens: count(thought) } } : {}),
  };
}

/** OpenAI's usage as Anthropic's. What hosts say besides, such as its cost, goes as it is. */
export function messagesUsageOf(usage: unknown): JsonObject {
  const known = isObject(usage) ? usage : {};
  const { in: input, cached, written = 0, out } = tokensOfChat(known);
  const thought = isObject(known.completion_tokens_details)
    ? known.completion_tokens_details.reasoning_tokens
    : undefined;
  return {
    ...othersOf(known, CHAT_USAGE),
    input_tokens: Math.max(0, input - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: out,
    ...(thought ? { output_tokens_details: { thinking_tokens: count(thought) } } : {}),
  };
}

function othersOf(usage: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(
    Object.entries(usage).filter(([key, value]) => !known.has(key) && value !== null),
  );
}

const MESSAGES_USAGE: ReadonlySet<string> = new Set([
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'output_tokens',
  'output_tokens_details',
]);

const CHAT_USAGE: ReadonlySet<string> = new Set([
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
  'cached_tokens',
  'prompt_cache_hit_tokens',
  'prompt_cache_miss_tokens',
]);

/**
 * Where a chat completion or the last chunk of one has its usage: most hosts have it beside the
 * choices, Moonshot also within the one that finishes, Groq's systems of several models in a field
 * of its own.
 */
export function usageOfChat(body: JsonObject, choice: JsonObject | null): JsonObject | null {
  if (isObject(body.usage)) return body.usage;
  if (typeof choice?.finish_reason !== 'string') return null;
  if (isObject(choice.usage)) return choice.usage;
  return isObject(body.x_groq) && isObject(body.x_groq.usage) ? body.x_groq.usage : null;
}

/** OpenAI's usage as the record counts it. */
export function tokensOfChat(usage: JsonObject): Tokens {
  const { prompt_tokens_details: details } = usage;
  const told: JsonObject = isObject(details) ? details : {};
  // DeepSeek, Moonshot and Together have, or had, it beside the counts.
  const read = told.cached_tokens ?? usage.cached_tokens ?? usage.prompt_cache_hit_tokens;
  const written = count(told.cache_creation_tokens ?? told.cache_write_tokens);
  const prompt = count(usage.prompt_tokens);
  // xAI and Gemini leave what was thought out of the completion, but not out of the total.
  const out = Math.max(count(usage.completion_tokens), count(usage.total_tokens) - prompt);
  const tokens = { in: prompt, cached: count(read), out, estimated: false };
  return written === 0 ? tokens : { ...tokens, written };
}

/** Anthropic's usage as the record counts it. */
export function tokensOfMessages(usage: JsonObject): Tokens {
  const tokens = countsOf(usage);
  if (!Array.isArray(usage.iterations)) return tokens;
  // The counts leave out what it took to compact the conversation, which is paid for as well.
  const compacted = objectsIn(usage.iterations).filter(({ type }) => type === 'compaction');
  return compacted.map(countsOf).reduce(sumOfTokens, tokens);
}

function countsOf(usage: JsonObject): Tokens {
  const read = count(usage.cache_read_input_tokens);
  const written = count(usage.cache_creation_input_tokens);
  const input = count(usage.input_tokens) + read + written;
  const tokens = { in: input, cached: read, out: count(usage.output_tokens), estimated: false };
  if (written === 0) return tokens;
  const kinds = isObject(usage.cache_creation) ? usage.cache_creation : {};
  const written_1h = Math.min(written, count(kinds.ephemeral_1h_input_tokens));
  return written_1h === 0 ? { ...tokens, written } : { ...tokens, written, written_1h };
}
