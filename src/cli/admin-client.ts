import { GatewayError, messageOf } from '../core/errors.ts';

/** The admin API, as commands ask it. */
export interface AdminClient {
  readonly url: string;
  get(path: string): Promise<JsonAnswer>;
  post(path: string, body: unknown): Promise<JsonAnswer>;
}

/** `fetch`, as far as it is needed here. */
export type Fetching = (url: string, init: RequestInit) => Promise<Response>;

export type JsonAnswer = Readonly<Record<string, unknown>>;

const ANSWER_MS = 10_000;

export function createAdminClient(url: string, fetching: Fetching): AdminClient {
  const ask = async (path: string, init: RequestInit): Promise<JsonAnswer> => {
    const response = await reach(url, path, init, fetching);
    const body = await readObject(url, response);
    if (response.ok || isReadiness(body)) return body;
    throw apiError(response.status, body);
  };
  return {
    url,
    get: (path) => ask(path, { method: 'GET' }),
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

/** The value under a key that every version of the API answers with. */
export function answered<Value>(answer: JsonAnswer, key: string): Value {
  if (!(key in answer)) {
    throw new GatewayError(
      'internal',
      `the admin API's answer has no ${key}: is it another version?`,
    );
  }
  return answer[key] as Value;
}

export function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof GatewayError && thrown.details.unreachable === true;
}

/** The status of the API's own refusal, or null where it gave none. */
export function refusalStatus(thrown: unknown): number | null {
  if (!(thrown instanceof GatewayError)) return null;
  return thrown.details.refused === true ? (thrown.details.status ?? null) : null;
}

async function reach(
  url: string,
  path: string,
  init: RequestInit,
  fetching: Fetching,
): Promise<Response> {
  try {
    return await fetching(`${url}${path}`, {
      ...init,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (thrown) {
    const late = thrown instanceof Error && thrown.name === 'TimeoutError';
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    const reason = late ? `no answer within ${ANSWER_MS / 1000} s` : messageOf(cause);
    throw new GatewayError(
      'not_ready',
      `the admin API at ${url} cannot be reached (${reason}): start the product ` +
        'with "npm start", or name another address with --admin URL',
      { unreachable: true },
      thrown,
    );
  }
}

async function readObject(url: string, response: Response): Promise<JsonAnswer> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return value as JsonAnswer;
    }
  } catch {
    // Said below, with what was asked: the parser's words would not help.
  }
  throw new GatewayError('internal', `${url} does not answer as Liquid Hive's admin API does`);
}

/** `/ready` is 503 with its reasons while it is not: an answer, not a failure of the question. */
function isReadiness(body: JsonAnswer): boolean {
  return typeof body.ready === 'boolean';
}

function apiError(status: number, body: JsonAnswer): GatewayError {
  const error = (body.error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const code = typeof error.code === 'string' ? error.code : `HTTP ${status}`;
  const message = typeof error.message === 'string' ? error.message : 'no reason given';
  return new GatewayError('bad_request', `${code}: ${message}`, { status, refused: true });
}
