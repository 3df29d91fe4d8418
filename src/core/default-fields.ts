import type { Call, Endpoint } from './call.ts';
import type { Json } from './canonical.ts';

/**
 * What of an agent's `params` a request gets: the fields that it does not have itself, by the names
 * of its endpoint. Two names of one limit are refused by the provider, and so is a field that the
 * endpoint does not know.
 */
export function defaultFields(
  { endpoint, body }: Pick<Call, 'endpoint' | 'body'>,
  params: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const defaults: Record<string, Json> = {};
  if (!isGenerating(endpoint)) return defaults;
  for (const field in params) {
    if (Object.hasOwn(body, field) || !isKnown(field, endpoint)) continue;
    const value = params[field] as Json;
    if (!LIMITS.includes(field)) defaults[field] = value;
    else if (!LIMITS.some((limit) => Object.hasOwn(body, limit))) {
      defaults[LIMIT_OF[endpoint] ?? field] = value;
    }
  }
  return defaults;
}

/** An agent's params are about answers: a request for anything else would be refused with them. */
export function isGenerating(endpoint: Endpoint): boolean {
  return GENERATING.has(endpoint);
}

const GENERATING: ReadonlySet<Endpoint> = new Set([
  'chat.completions',
  'responses',
  'completions',
  'messages',
]);

const LIMITS: readonly string[] = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];

/** The one name of the limit, where the endpoint has but one. */
const LIMIT_OF: Readonly<Partial<Record<Endpoint, string>>> = {
  responses: 'max_output_tokens',
  completions: 'max_tokens',
  messages: 'max_tokens',
};

function isKnown(field: string, endpoint: Endpoint): boolean {
  return endpoint === 'chat.completions' || !CHAT_ONLY[endpoint]?.has(field);
}

const PENALTIES = ['frequency_penalty', 'presence_penalty', 'logit_bias', 'seed', 'n', 'logprobs'];
const CHAT_FIELDS = [
  'response_format',
  'reasoning_effort',
  'verbosity',
  'modalities',
  'prediction',
];

/** Fields of chat completions that other endpoints refuse. */
const CHAT_ONLY: Readonly<Partial<Record<Endpoint, ReadonlySet<string>>>> = {
  responses: new Set([...PENALTIES, ...CHAT_FIELDS, 'stop']),
  completions: new Set([...CHAT_FIELDS, 'parallel_tool_calls', 'top_logprobs']),
  messages: new Set([...PENALTIES, ...CHAT_FIELDS, 'stop', 'parallel_tool_calls', 'top_logprobs']),
};
