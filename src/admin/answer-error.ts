import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type GatewayError, toGatewayError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { AdminEnv } from './admin-env.ts';

/** The admin API's one shape of a failure. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly param: string | null;
    readonly details: Readonly<Record<string, unknown>> | null;
  };
}

export function errorBody(error: GatewayError): ErrorBody {
  const { param, status: _status, retry_after_s: _retry, ...more } = error.details;
  const details = Object.keys(more).length > 0 ? more : null;
  return { error: { code: error.code, message: error.message, param: param ?? null, details } };
}

/** Answers whatever was thrown, and logs it once where it is ours to mend. */
export function answerError(c: Context<AdminEnv>, thrown: unknown, log: Log): Response {
  const error = toGatewayError(thrown);
  if (error.status >= 500) {
    const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : null;
    log.error('admin request failed', {
      method: c.req.method,
      path: c.req.path,
      request_id: c.get('request_id'),
      code: error.code,
      message: error.message,
      cause,
    });
  }
  const message = error.code === 'internal' ? 'The admin API failed on this request.' : null;
  const body = errorBody(error);
  if (error.details.retry_after_s !== undefined) {
    c.header('retry-after', String(error.details.retry_after_s));
  }
  return c.json(
    message === null ? body : { error: { ...body.error, message } },
    error.status as ContentfulStatusCode,
  );
}
