import type { Call } from '../core/call.ts';
import type { Resilience } from '../core/policy.ts';
import type { UpstreamFailure } from '../core/provider.ts';
import { failed } from './upstream/failures.ts';

/** Until when a call may take, on the monotonic clock, and what it comes to when that is over. */
export interface TimeLimit {
  readonly deadline_ms: number;
  readonly late: UpstreamFailure;
}

/** The policy's, or the client's own where that is shorter. */
export function timeLimit(
  { timeout_ms }: Pick<Call, 'timeout_ms'>,
  { started_ms }: { readonly started_ms: number },
  { timeouts: { total_ms } }: { readonly timeouts: Pick<Resilience['timeouts'], 'total_ms'> },
): TimeLimit {
  if (timeout_ms === null || timeout_ms >= total_ms) {
    return { deadline_ms: started_ms + total_ms, late: LATE };
  }
  return { deadline_ms: started_ms + timeout_ms, late: LATE_BY_CLIENT };
}

const LATE = failed('upstream_timeout', 'The call took longer than it may.');
/** A client in a hurry must not open breakers for everybody else. */
const LATE_BY_CLIENT: UpstreamFailure = { ...LATE, counts: false };
