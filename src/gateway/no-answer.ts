import { GatewayError } from '../core/errors.ts';
import type { UpstreamFailure } from '../core/provider.ts';
import { RETRY_AFTER_S, tooBusy } from './overload.ts';
import type { Standing } from './targets/live-target.ts';
import type { Turn } from './turn.ts';
import { failed, isOperators } from './upstream/failures.ts';

/**
 * What the client is told: the first failure that an upstream explained, not the noise of those
 * asked after it; what only an operator can mend where nothing else is wrong. Where nobody could be
 * asked, why.
 */
export function mostUseful({ failures, route }: Turn): UpstreamFailure {
  const useful = explained(failures.filter((failure) => !isOperators(failure)));
  if (useful) return useful;
  const { standings, limited_ms } = route.obstacle();
  const mistake = explained(failures);
  if (mistake && !standings.some(isPassing)) return mistake;
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

function explained(failures: readonly UpstreamFailure[]): UpstreamFailure | undefined {
  return failures.find((failure) => failure.body !== null) ?? failures[0];
}

function isPassing(standing: Standing): boolean {
  return standing === 'limited' || standing === 'full' || standing === 'open';
}
