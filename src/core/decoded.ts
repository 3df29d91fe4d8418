import type { Tokens } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import { isObject, parseJson } from './json-values.ts';
import type { AnswerFacts, DecodedAnswer, DecodedChunk, UpstreamAnswer } from './provider.ts';
import { brokenAnswer, failureInside, failureOf } from './upstream-failure.ts';

/** A chunk that says nothing. */
export const NOTHING: DecodedChunk = {
  event: null,
  done: false,
  usage_only: false,
  error: null,
  facts: {},
  content: false,
  empty: true,
  malformed: false,
};

/** Of an answer that is still to be made, in the background: nobody knows yet. */
export const NOT_YET: Tokens = Object.freeze({ in: 0, cached: 0, out: 0, estimated: true });

/** An answer that says nothing of itself. */
export const NO_FACTS: AnswerFacts = {
  completion_id: null,
  model: null,
  finish: null,
  tokens: null,
  adapter: null,
};

/** All of what an answer says of itself; by name, since two spreads cost more than its parsing. */
export function wholeFacts(facts: Partial<AnswerFacts>): AnswerFacts {
  return {
    completion_id: facts.completion_id ?? null,
    model: facts.model ?? null,
    finish: facts.finish ?? null,
    tokens: facts.tokens ?? null,
    adapter: facts.adapter ?? null,
    said: facts.said,
  };
}

/**
 * The JSON object of an answer of status 2xx that reports no error, or the failure that it is. Such
 * an error may have cost something: `tokensOf` reads its `usage`.
 */
export function readAnswer(
  answer: UpstreamAnswer,
  tokensOf: (usage: unknown) => Tokens | null = () => null,
): { readonly body: JsonObject } | Extract<DecodedAnswer, { ok: false }> {
  if (answer.status < 200 || answer.status > 299) return { ok: false, error: failureOf(answer) };
  const body = parseJson(answer.body);
  if (!isObject(body)) return { ok: false, error: brokenAnswer(notJson(answer)) };
  if (!isPresent(body.error)) return { body };
  return { ok: false, error: failureInside(body.error as Json), ...spent(tokensOf(body.usage)) };
}

/** Tokens as an optional fact. */
export function spent(tokens: Tokens | null): { readonly tokens?: Tokens } {
  return tokens === null ? {} : { tokens };
}

function notJson(answer: UpstreamAnswer): string {
  const what = answer.body.length === 0 ? 'is empty' : 'is not a JSON object';
  return `The upstream answered status ${answer.status}, but its body ${what}.`;
}

export function isPresent(error: unknown): boolean {
  return error !== undefined && error !== null && error !== false;
}
