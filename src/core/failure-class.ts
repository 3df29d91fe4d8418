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
  if (status >= 300 && status < 400) return 'redirect';
  if (status >= 500 || status < 400 || UNAVAILABLE.has(status)) return 'unavailable';
  if (status === 429) return 'rate_limit';
  const codes = codesOf(refusal.error);
  if (codes.some(isFilterCode) || FILTER_TEXT.test(refusal.message)) {
    return 'content_filter';
  }
  if (status >= 401 && status <= 403) return 'credentials';
  if (status === 413) return 'context_length';
  if (codes.includes('context_length_exceeded') || CONTEXT_TEXT.test(refusal.message)) {
    return 'context_length';
  }
  if (codes.includes('invalid_api_key') || KEY_TEXT.test(refusal.message)) return 'credentials';
  return isUnknownModel(refusal, codes) ? 'unknown_model' : 'request';
}

/**
 * No client names an upstream's path or model, so that a 404 is the policy's mistake, unless it is
 * about something that the body refers to: an earlier response, a file.
 */
function isUnknownModel({ status, error, message }: Refusal, codes: readonly string[]): boolean {
  if (codes.some((code) => MODEL_CODES.has(code)) || MODEL_TEXT.test(message)) return true;
  if (status !== 404 || (typeof error.param === 'string' && error.param !== 'model')) return false;
  if (OF_REQUEST.test(message)) return false;
  if (NAMES_MODEL.test(message)) return true;
  return !(NAMES_OTHER.test(message) && /no such|not found|not exist|expired/i.test(message));
}

function codesOf(error: JsonObject): readonly string[] {
  const { innererror } = error;
  const inner = isObject(innererror) ? innererror.code : null;
  return [error.code, error.type, inner].flatMap((code) =>
    typeof code === 'string' || typeof code === 'number' ? [String(code)] : [],
  );
}

/** A conflict, too early, and Groq's flexible tier without room. */
const UNAVAILABLE: ReadonlySet<number> = new Set([409, 425, 498]);

export function isFilterCode(code: string): boolean {
  return FILTER_CODES.has(code);
}

/** OpenAI, Azure, Moonshot; Qwen; Z.ai; OpenAI's reasoning models. */
const FILTER_CODES: ReadonlySet<string> = new Set([
  'content_filter',
  'content_filter_error',
  'content_policy_violation',
  'image_content_policy_violation',
  'ResponsibleAIPolicyViolation',
  'data_inspection_failed',
  '1301',
  'invalid_prompt',
]);

/** Azure, Anthropic, DeepSeek, OpenRouter, xAI, in their own words. */
const FILTER_TEXT = new RegExp(
  [
    'content management policy',
    'content filtering policy',
    'content_policy_violation',
    'responsible ai',
    'content exists risk',
    'requires moderation',
    'flagged (as|by|for)',
    'violates usage guidelines',
  ].join('|'),
  'i',
);

/**
 * Anthropic, OpenAI and vLLM, llama.cpp, Gemini, Bedrock, Groq, xAI, Moonshot, Qwen, Z.ai, Cohere,
 * Together and Hugging Face, in their own words.
 */
const CONTEXT_TEXT = new RegExp(
  [
    'prompt is too long',
    'input is too long',
    'exceeds? (the )?(model.s )?(maximum |available )?context',
    'context_length_exceeded',
    '(maximum|max) (context|prompt|input) length',
    'input token count .* exceeds',
    'reduce the length of the (messages|prompt|input)',
    'exceeded model token limit',
    'model max length exceeded',
    'range of input length should',
    'prompt exceeds max length',
    'too many tokens:',
    'max_new_tokens.? must be',
  ].join('|'),
  'i',
);

/** OpenAI and Groq, Azure, Together, Mistral; Groq's retired ones; Hugging Face. */
const MODEL_CODES: ReadonlySet<string> = new Set([
  'model_not_found',
  'DeploymentNotFound',
  'model_not_available',
  'invalid_model',
  'model_decommissioned',
  'model_not_supported',
]);

/** DeepSeek and OpenRouter say so with a 400. */
const MODEL_TEXT = /^model not exist|is not a valid model id/i;
/** OpenRouter knows the model, but nobody who serves it with the tools or pictures asked for. */
const OF_REQUEST = /^no endpoints found that/i;
const NAMES_MODEL = /\b(model|deployment)/i;
const NAMES_OTHER =
  /\b(files?|responses?|conversations?|containers?|prompts?|skills?|items?|vector stores?)\b/i;

/** xAI and Gemini say so with a 400. */
const KEY_TEXT = /incorrect api key|invalid api key|api key not valid/i;
