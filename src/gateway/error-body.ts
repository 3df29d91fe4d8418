import type { JsonObject } from '../core/canonical.ts';
import type { GatewayError } from '../core/errors.ts';

/** The one place where an error becomes OpenAI's dialect: all four keys, always. */
export function errorBody(error: GatewayError): JsonObject {
  const upstream = error.details.body;
  if (isOpenAiError(upstream)) return upstream;
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.details.param ?? null,
      code: error.code,
    },
  };
}

/** Headers that tell a client whether, and when, to ask again. */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (!isRetryable(error)) headers['x-should-retry'] = 'false';
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
  if (error.details.status === undefined) return error.retry;
  return error.status >= 500 || [408, 409, 429].includes(error.status);
}

function isOpenAiError(body: unknown): body is JsonObject {
  if (typeof body !== 'object' || body === null) return false;
  const { error } = body as { error?: unknown };
  return typeof error === 'object' && error !== null && 'message' in error;
}
