import type { JsonObject } from '../core/canonical.ts';

/**
 * What the engine answers instead of a completion, in vLLM's words where vLLM has them: the gateway
 * reads an engine of either kind alike.
 */
export class EngineError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;

  constructor(
    status: number,
    type: string,
    message: string,
    more: { readonly param?: string; readonly code?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = 'EngineError';
    this.status = status;
    this.type = type;
    this.param = more.param ?? null;
    this.code = more.code ?? null;
  }

  get body(): JsonObject {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

export function badRequest(message: string, param?: string, code?: string): EngineError {
  return new EngineError(400, 'invalid_request_error', message, { param, code });
}

export function toEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const message = 'The engine failed on this request.';
  return new EngineError(500, 'server_error', message, { code: 'engine_failed', cause: thrown });
}
