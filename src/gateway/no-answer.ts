import { GatewayError } from '../core/errors.ts';
import type { UpstreamFailure } from '../core/provider.ts';
import type { Turn } from './turn.ts';
import { failed, isOperators } from './upstream/failures.ts';

/**
 * What the client is told: the first failure that an upstream explained, not the noise of those
 * asked after it; what only an operator can mend where there was nothing else. Where nobody could
 * be asked, why.
 */
export function mostUseful({ failures, route }: Turn): UpstreamFailure {
  const passing = failures.filter((failure) => !isOperators(failure));
  const told = passing.length > 0 ? passing : failures;
  const useful = told.find((failure) => failure.body !== null) ?? told[0];
  if (useful) return useful;
  const { standings, limited_ms } = route.obstacle();
  if (limited_ms < Number.MAX_SAFE_INTEGER) {
    const message = 'The providers of this agent limit the gateway’s calls.';
    const limited = failed('rate_limited', message);
    return { ...limited, class: 'rate_limit', retry_after_s: limited_ms / 1000 };
  }
  if (standings.includes('full')) {
    throw tooBusy('The targets of this agent have as many calls in hand as they can take.');
  }
  const details = standings.includes('open') ? { retry_after_s: RETRY_AFTER_S } : {};
  throw new GatewayError('no_target', 'No target of this agent can be asked now.', details);
}

export function tooBusy(message: string): GatewayError {
  return new GatewayError('overloaded', message, { retry_after_s: RETRY_AFTER_S });
}

const RETRY_AFTER_S = 1;
