import type { JsonObject } from './canonical.ts';
import { isObject } from './json-values.ts';
import type { FailureClass } from './provider.ts';

/** What is known of a refusal: its status, and what its body said of itself. */
export interface Refusal {
  readonly status: number;
  /** The error object of the body, or an empty one. */
  readonly error: JsonObject;
  readonly message: string;
}

/**
 * The class of an upstream's refusal. Codes come first; texts count only where a provider has no
 * code, and only among client errors: a server's fault that happens to quote them stays a fault.
 */
export function classOf(refusal: Refusal): FailureClass {
  const { status } = refusal;
  if (status === 408 || status === 504) return 'timeout';
  if (status >= 500 || status < 400 || status === 409 || status === 425) return 'unavailable';
  if (status === 429) return 'rate_limit';
  const codes = codesOf(refusal.error);
  if (codes.some((code) => FILTER_CODES.has(code)) || FILTER_TEXT.test(refusal.message)) {
    return 'content_filter';
  }
  if (status >= 401 && status <= 403) return 'credentials';
  if (status === 413) return 'context_length';
  if (codes.includes('context_length_exceeded') || CONTEXT_TEXT.test(refusal.message)) {
    return 'context_length';
  }
  const key = codes.includes('invalid_api_key') || KEY_TEXT.test(refusal.message);
  return key ? 'credentials' : 'request';
}

function codesOf(error: JsonObject): readonly string[] {
  const { innererror } = error;
  const inner = isObject(innererror) ? innererror.code : null;
  return [error.code, error.type, inner].flatMap((code) =>
    typeof code === 'string' || typeof code === 'number' ? [String(code)] : [],
  );
}

/** OpenAI, Azure, Moonshot; Qwen; Z.ai; OpenAI's reasoning models. */
const FILTER_CODES: ReadonlySet<string> = new Set([
  'content_filter',
  'content_filter_error',
  'content_policy_violation',
  'ResponsibleAIPolicyViolation',
  'data_inspection_failed',
  '1301',
  'invalid_prompt',
]);

/** Azure, Anthropic, DeepSeek, OpenRouter, in their own words. */
const FILTER_TEXT = new RegExp(
  [
    'content management policy',
    'content filtering policy',
    'content_policy_violation',
    'responsible ai',
    'content exists risk',
    'requires moderation',
    'flagged (as|by|for)',
  ].join('|'),
  'i',
);

/** Anthropic, OpenAI and vLLM, llama.cpp, Gemini, Bedrock, Groq, xAI, in their own words. */
const CONTEXT_TEXT = new RegExp(
  [
    'prompt is too long',
    'input is too long',
    'exceeds? (the )?(model.s )?(maximum |available )?context',
    'context_length_exceeded',
    '(maximum|max) (context|prompt|input) length',
    'input token count .* exceeds',
    'reduce the length of the (messages|prompt|input)',
  ].join('|'),
  'i',
);

/** xAI and Gemini say so with a 400. */
const KEY_TEXT = /incorrect api key|invalid api key|api key not valid/i;
