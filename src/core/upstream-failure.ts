import type { Json, JsonObject } from './canonical.ts';
import type { ErrorCode } from './errors.ts';
import { classOf, isFilterCode } from './failure-class.ts';
import { isObject, parseJson, textIn } from './json-values.ts';
import { limitHeaders } from './limit-headers.ts';
import type { FailureClass, UpstreamAnswer, UpstreamFailure } from './provider.ts';

/** As much of an answer as its refusal is read from. */
export type Refused = Pick<UpstreamAnswer, 'status' | 'headers' | 'body'> &
  Partial<Pick<UpstreamAnswer, 'created_s'>>;

/**
 * What an upstream's refusal means to us. Upstreams fail in every shape (OpenAI's error object, a
 * bare message, HTML of a proxy, nothing, half a JSON); whatever it is becomes one failure with a
 * code of the table, and only an error object of OpenAI's shape is passed on to the client.
 */
export function failureOf(answer: Refused): UpstreamFailure {
  const parsed = parseJson(answer.body);
  // Gemini's compatible endpoint puts a list around it.
  const json = Array.isArray(parsed) ? (parsed as readonly Json[])[0] : parsed;
  // Mistral and xAI put none.
  const around = isObject(json) ? json : {};
  const error = isObject(around.error) ? around.error : around;
  const message = errorSaid(json, answer.status)?.message ?? '';
  const kind = classOf({ status: answer.status, error, message });
  const meaning = meaningOf(answer.status, kind);
  const said = errorSaid(json, meaning.status);
  const text = said?.message ?? describe(answer);
  // What they are told of our account is ours as well.
  const limits = meaning.ours ? null : limitHeaders(answer.headers);
  return {
    ...(limits === null ? {} : { limits }),
    class: kind,
    code: meaning.code,
    status: meaning.status,
    message: meaning.ours
      ? `The provider refused the gateway's credentials or account (status ${answer.status}).`
      : text.replace(OF_ACCOUNT, ''),
    // Whoever reads a refusal of our key learns something of the key: it is never passed on.
    body: meaning.ours ? null : (said?.body ?? null),
    retry_after_s: meaning.ours ? null : retryAfter(answer.headers, answer.created_s),
    retryable: meaning.retryable,
    counts: meaning.counts,
  };
}

/** What xAI adds to a refusal of content is for whoever has the account. */
const OF_ACCOUNT = / Team: .*, API key ID: .*$/s;

/** An answer of status 2xx that is none, such as HTML, half a JSON or an error object. */
export function brokenAnswer(message: string): UpstreamFailure {
  return {
    class: 'unavailable',
    code: 'upstream_error',
    status: 502,
    message,
    body: null,
    retry_after_s: null,
    retryable: true,
    counts: true,
  };
}

/** An error inside a 200 or a stream; its `code` is a status where it can be one. */
export function failureInside(error: Json): UpstreamFailure {
  const status = statusInside(error);
  const body = Buffer.from(JSON.stringify({ error }));
  const failure = failureOf({ status, headers: {}, body });
  if (failure.body !== null || typeof error === 'string') return failure;
  return { ...failure, message: 'The upstream reported an error inside its answer.' };
}

function statusInside(error: Json): number {
  if (!isObject(error)) return 502;
  const code = Number(textIn(error.code));
  if (Number.isInteger(code) && code >= 400 && code < 600) return code;
  const codes = [textIn(error.code), textIn(error.type)];
  if (codes.some((one) => isFilterCode(one) || ABOUT_IMAGES.test(one))) return 400;
  return codes.map((one) => STATUS_OF.get(one)).find((status) => status !== undefined) ?? 502;
}

/** A picture that cannot be read is the client's, whoever is asked. */
const ABOUT_IMAGES = /(^|_)image(_|$)/;

/** OpenAI's codes, and Anthropic's types, some of which are OpenAI's as well. */
const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ['insufficient_quota', 429],
  ['rate_limit_exceeded', 429],
  ['context_length_exceeded', 400],
  ['invalid_api_key', 401],
  ['model_not_found', 404],
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

interface Meaning {
  readonly code: ErrorCode;
  /** What the client gets. */
  readonly status: number;
  readonly retryable: boolean;
  readonly counts: boolean;
  /** The gateway's own fault or account, of which the client should not learn more. */
  readonly ours?: boolean;
}

const failing = (code: ErrorCode, status: number): Meaning => ({
  code,
  status,
  retryable: true,
  counts: true,
});
const refused = (code: ErrorCode, status: number): Meaning => ({
  code,
  status,
  retryable: false,
  counts: false,
});

/**
 * By status. A rate limit is no fault of the target, so its breaker stays closed. A 403 may be one
 * client's content as well as our key: it does not count either, or a client could open the
 * breaker.
 */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  401: { ...failing('upstream_error', 502), ours: true },
  402: { ...failing('upstream_error', 502), ours: true },
  403: { ...failing('upstream_error', 502), ours: true, counts: false },
  404: refused('not_found', 404),
  408: failing('upstream_timeout', 504),
  409: { ...failing('upstream_error', 409), counts: false },
  413: refused('body_too_large', 413),
  415: refused('unsupported_media_type', 415),
  425: { ...failing('upstream_error', 502), counts: false },
  429: { ...failing('rate_limited', 429), counts: false },
  498: { ...failing('overloaded', 503), counts: false },
  503: failing('overloaded', 503),
  504: failing('upstream_timeout', 504),
  529: failing('overloaded', 529),
};

/** The policy's mistake; a client could not make it, and it says nothing of the target's health. */
const UNKNOWN_MODEL: Meaning = { ...failing('model_not_found', 404), counts: false };

function meaningOf(status: number, kind: FailureClass): Meaning {
  if (kind === 'content_filter') return refused('bad_request', status === 422 ? 422 : 400);
  if (kind === 'unknown_model') return UNKNOWN_MODEL;
  if (kind === 'credentials' && status !== 403) return MEANINGS[401] as Meaning;
  const meaning = MEANINGS[status];
  if (meaning) return meaning;
  if (status >= 400 && status < 500) return refused('bad_request', status);
  return failing('upstream_error', 502);
}

interface Said {
  readonly message: string;
  /** In OpenAI's shape with all four keys, or null where it was said in another. */
  readonly body: JsonObject | null;
}

const MESSAGE_CHARACTERS_MAX = 2000;

function errorSaid(answer: Json | undefined, status: number): Said | null {
  if (!isObject(answer)) return null;
  const { error } = answer;
  if (isObject(error) && typeof error.message === 'string') {
    const message = bounded(error.message);
    return { message, body: { error: { ...error, ...fourKeys(error, status), message } } };
  }
  const text = [error, answer.message, answer.detail].find((said) => typeof said === 'string');
  return typeof text === 'string' && text !== '' ? { message: bounded(text), body: null } : null;
}

/** Clients type these: `type` a string, `param` and `code` strings or null. */
function fourKeys(error: JsonObject, status: number): JsonObject {
  const { code } = error;
  const refused = status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  const fallback = status < 500 ? refused : 'server_error';
  return {
    type: typeof error.type === 'string' ? error.type : fallback,
    param: typeof error.param === 'string' ? error.param : null,
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : null,
  };
}

function bounded(text: string): string {
  return text.length > MESSAGE_CHARACTERS_MAX ? `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…` : text;
}

function describe(answer: Refused): string {
  if (answer.status >= 300 && answer.status < 400) {
    return `The upstream redirected (status ${answer.status}); redirects are not followed.`;
  }
  const type = headerOf(answer.headers, 'content-type')?.split(';', 1)[0];
  const what = answer.body.length === 0 ? 'an empty body' : `a body of ${type ?? 'unknown type'}`;
  return `The upstream answered status ${answer.status} with ${what}.`;
}

/**
 * Seconds until a retry helps: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date.
 * A date is read against the answer's own `date`, so no clock of ours has to agree with theirs;
 * where it has none, against when the call came (`came_s`, Unix time).
 */
export function retryAfter(headers: UpstreamAnswer['headers'], came_s?: number): number | null {
  const ms = numberOf(headerOf(headers, 'retry-after-ms'));
  if (ms !== null) return ms / 1000;
  const after = headerOf(headers, 'retry-after');
  const seconds = numberOf(after);
  if (seconds !== null) return seconds;
  const date = Date.parse(after ?? '');
  const until = date - Date.parse(headerOf(headers, 'date') ?? '');
  if (!Number.isNaN(until)) return Math.max(0, until / 1000);
  const left_s = date / 1000 - (came_s ?? Number.NaN);
  return left_s > 0 ? left_s : null;
}

/** Of twelve digits at most, which is for ever; one of hundreds would be told on as `Infinity`. */
function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d{1,12}(\.\d+)?\s*$/.test(text) ? Number(text) : null;
}

function headerOf(headers: UpstreamAnswer['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
