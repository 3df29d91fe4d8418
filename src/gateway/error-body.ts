import type { Dialect } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { GatewayError } from '../core/errors.ts';
import { isObject } from '../core/json-values.ts';

/** The one place where an error becomes a body, in the words of the client's dialect. */
export function errorBody(error: GatewayError, dialect: Dialect, request_id: string): JsonObject {
  return dialect === 'anthropic' ? anthropicError(error, request_id) : openAiError(error);
}

/** All four keys, always. */
export function openAiError(error: GatewayError): JsonObject {
  const upstream = error.details.body;
  if (isErrorBody(upstream)) return upstream;
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.details.param ?? null,
      code: error.code,
    },
  };
}

function anthropicError(error: GatewayError, request_id: string): JsonObject {
  const upstream = error.details.body;
  const said = isErrorBody(upstream) ? upstream.error : null;
  // OpenAI calls nearly all that a client did wrong by one name, for which Anthropic has several.
  const told = typeof said?.type === 'string' ? said.type : '';
  const type = told === BAD_REQUEST ? anthropicType(error.status) : told;
  return {
    type: 'error',
    error: {
      type: ANTHROPIC_TYPES.has(type) ? type : anthropicType(error.status),
      message: typeof said?.message === 'string' ? said.message : error.message,
      // Its SDKs choose the class of what they throw by the code within.
      ...(isObject(said?.details) ? { details: said.details } : {}),
    },
    request_id,
  };
}

/** Anthropic's names by status. */
const ANTHROPIC_TYPE_OF: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};
const BAD_REQUEST = 'invalid_request_error';
const SERVER_ERROR = 'api_error';
const ANTHROPIC_TYPES: ReadonlySet<string> = new Set([
  ...Object.values(ANTHROPIC_TYPE_OF),
  BAD_REQUEST,
  SERVER_ERROR,
]);

function anthropicType(status: number): string {
  return ANTHROPIC_TYPE_OF[status] ?? (status < 500 ? BAD_REQUEST : SERVER_ERROR);
}

/** Headers that tell a client whether, and when, to ask again, and whose failure it was. */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = { ...error.details.limits };
  if (error.details.target !== undefined) headers['x-hive-target'] = error.details.target;
  if (!isRetryable(error)) headers['x-should-retry'] = 'false';
  if (typeof error.details.allow === 'string') headers.allow = error.details.allow;
  if (error.status === 401) headers['www-authenticate'] = 'Bearer';
  const wait_s = error.details.retry_after_s;
  if (wait_s !== undefined) {
    headers['retry-after'] = String(Math.ceil(wait_s));
    headers['retry-after-ms'] = String(Math.ceil(wait_s * 1000));
  } else if (error.code === 'overloaded' || error.code === 'not_ready') {
    headers['retry-after'] = '1';
    headers['retry-after-ms'] = '1000';
  }
  return headers;
}

/**
 * An upstream's own status says more than our code: its 429 may be asked again, its 400 may not.
 */
function isRetryable(error: GatewayError): boolean {
  if (error.details.retry !== undefined) return error.details.retry;
  if (error.details.status === undefined) return error.retry;
  return error.status >= 500 || [408, 409, 429].includes(error.status);
}

function isErrorBody(body: unknown): body is { readonly error: JsonObject } {
  if (typeof body !== 'object' || body === null) return false;
  const { error } = body as { error?: unknown };
  return typeof error === 'object' && error !== null && 'message' in error;
}
