/**
 * The one error of the product and the table that gives each code its meaning.
 *
 * `status` is what a client sees, `type` is OpenAI's error type, and `retry` says whether the same
 * call may succeed later: it becomes `x-should-retry: false` where it cannot. Code elsewhere throws
 * a `GatewayError`, or returns a value; it is turned into the client's dialect in one place
 * (`gateway/respond`), and logged once, there.
 */

interface ErrorMeaning {
  readonly status: number;
  readonly type: string;
  readonly retry: boolean;
}

const invalid = (status: number): ErrorMeaning => ({
  status,
  type: 'invalid_request_error',
  retry: false,
});
const server = (status: number, retry: boolean): ErrorMeaning => ({
  status,
  type: 'server_error',
  retry,
});

export const ERROR_MEANINGS = {
  bad_request: invalid(400),
  invalid_json: invalid(400),
  invalid_host: invalid(400),
  unknown_agent: invalid(404),
  model_not_found: invalid(404),
  not_found: invalid(404),
  method_not_allowed: invalid(405),
  request_timeout: { status: 408, type: 'timeout_error', retry: true },
  edited: invalid(409),
  approval_required: invalid(409),
  not_validated: invalid(409),
  superseded: invalid(409),
  body_too_large: invalid(413),
  unsupported_media_type: invalid(415),
  unauthorized: { status: 401, type: 'authentication_error', retry: false },
  /** An upstream's own limit, passed on with its `retry-after`. */
  rate_limited: { status: 429, type: 'rate_limit_error', retry: true },
  forbidden: { status: 403, type: 'permission_error', retry: false },
  overloaded: server(503, true),
  switched_off: server(503, false),
  not_ready: server(503, true),
  internal: server(500, false),
  plugin_failed: server(500, false),
  no_target: server(503, true),
  upstream_unreachable: server(502, true),
  upstream_error: server(502, true),
  upstream_cut: server(502, true),
  upstream_timeout: server(504, true),
  /** The adapter is missing, broken or refused by the engine; the base can still answer. */
  adapter_unavailable: server(502, false),
  /** Logged and recorded only: nobody is left to read it. */
  client_closed: server(499, false),
  policy_invalid: invalid(422),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof ERROR_MEANINGS;

export interface ErrorDetails {
  /** The request field, header, file or key at fault. */
  readonly param?: string;
  /** A status that replaces the table's, for an upstream's own answer that is passed on. */
  readonly status?: number;
  /** False where asking again cannot help, whatever the status says. */
  readonly retry?: boolean;
  /** Seconds; becomes `retry-after`. */
  readonly retry_after_s?: number;
  /** An upstream's words on its limits, which become headers as they are. */
  readonly limits?: Readonly<Record<string, string>>;
  /** The target whose failure this is. */
  readonly target?: string;
  readonly [more: string]: unknown;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'GatewayError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return this.details.status ?? ERROR_MEANINGS[this.code].status;
  }

  get type(): string {
    return ERROR_MEANINGS[this.code].type;
  }

  get retry(): boolean {
    return ERROR_MEANINGS[this.code].retry;
  }
}

/** Turns whatever was thrown into the one error; anything unforeseen is `internal`. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal', 'The gateway failed on this call.', {}, thrown);
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
