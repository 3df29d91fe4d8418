import type { Dialect } from '../../core/call.ts';
import { ERROR_MEANINGS, type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { UpstreamFailure } from '../../core/provider.ts';

/**
 * A failure that the gateway itself saw: it counts against the target, and another may do better.
 */
export function failed(code: ErrorCode, message: string): UpstreamFailure {
  return {
    class: code === 'upstream_timeout' ? 'timeout' : 'unavailable',
    code,
    status: ERROR_MEANINGS[code].status,
    message,
    body: null,
    retry_after_s: null,
    retryable: true,
    counts: true,
  };
}

/** No target is to blame, and none would do better. */
export const TOO_MUCH_HELD: UpstreamFailure = {
  ...failed('overloaded', 'The gateway holds as many bytes of answers as it can take.'),
  retry_after_s: 1,
  retryable: false,
  counts: false,
};

/** Anthropic's own status of an overload, which only its clients know. */
const OVERLOADED = 529;

/**
 * A failure as the error that the client gets; the upstream's own words where they were OpenAI's.
 */
export function errorOf(failure: UpstreamFailure, dialect: Dialect = 'openai'): GatewayError {
  const foreign = failure.status === OVERLOADED && dialect !== 'anthropic';
  return new GatewayError(failure.code, failure.message, {
    status: foreign ? ERROR_MEANINGS.overloaded.status : failure.status,
    ...(isOperators(failure) ? { retry: false } : {}),
    ...(failure.body ? { body: failure.body } : {}),
    ...(failure.limits ? { limits: failure.limits } : {}),
    ...(failure.target === undefined ? {} : { target: failure.target }),
    ...(failure.retry_after_s === null ? {} : { retry_after_s: failure.retry_after_s }),
  });
}

/** What only an operator can mend: it will be refused again, here and by whoever calls again. */
export function isOperators({ class: kind }: UpstreamFailure): boolean {
  return kind === 'credentials' || kind === 'unknown_model' || kind === 'redirect';
}

/**
 * Such a failure with the names of who refused, where the words are ours: an operator who hears of
 * it from a client must know which entry of the policy is meant.
 */
export function withNames(
  failure: UpstreamFailure,
  { name, provider_name }: { readonly name: string; readonly provider_name: string },
): UpstreamFailure {
  if (!isOperators(failure) || failure.body !== null) return failure;
  return { ...failure, message: `Target ${name}, provider ${provider_name}: ${failure.message}` };
}

/**
 * Whether the same target may do better soon. Not where it was silent: that already cost the client
 * a whole time-out; nor where it refused us, which it will do again.
 */
export function isWorthRepeating(failure: UpstreamFailure): boolean {
  if (!failure.retryable || failure.code === 'upstream_timeout') return false;
  if (isOperators(failure)) return false;
  return failure.status >= 500 || failure.status === 429;
}
