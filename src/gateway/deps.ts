import type { Hono } from 'hono';
import type { Current } from '../config/current.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Bus } from '../events/bus.ts';
import type { Permits } from './canary/permits.ts';
import type { Capture } from './capture.ts';
import type { RecentCalls } from './conversation/recent.ts';
import type { ResponseOwners } from './conversation/response-owners.ts';
import type { ListenerLimits } from './front/listener-limits.ts';

/** All that the gateway's listener is made of; the composition root passes it in. */
export interface GatewayDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly current: Current;
  readonly bus: Bus;
  readonly permits: Permits;
  readonly recent: RecentCalls;
  /** Who made which response; where it is absent, what this gateway itself has made. */
  readonly owners?: ResponseOwners;
  /** `DATA/secret`: keys the hashes under which users, sessions and units are stored. */
  readonly secret: Uint8Array;
  /** The listener's host: clients may name it, or a loopback name, in their `Host` header. */
  readonly environment: { readonly host: string };
  /** Why the YAML on disk is not the one served, or null; told by `/ready`. */
  policyError(): string | null;
  /**
   * False until the composition root has started all that the gateway needs, and while it stops.
   */
  ready(): boolean;
  readonly feedbackHeader: FeedbackHeader;
  /** `POST /feedback` and `/api/v1/feedback/*`. May throw GatewayError: `app` answers for it. */
  readonly feedbackRoutes: Hono;
  /** Keeps samples of calls, where the policy asks for it; none where it is absent. */
  readonly capture?: Capture;
  /** Over `LISTENER_LIMITS`. */
  readonly limits?: Partial<ListenerLimits>;
  /** The policy that calls are rehearsed under; none are where it is absent. */
  readonly rehearsed?: () => Snapshot;
  /** The share of its memory that this process uses; `memoryShare` of one where it is absent. */
  readonly memoryShare?: () => number;
  /** A number in [0, 1), for the jitter of backoffs. */
  random(): number;
}

/** The `x-feedback` request header: its fsync runs beside the upstream call. Never throws. */
export interface FeedbackHeader {
  start(value: string, who: Rater): StartedFeedback;
}

/** Who sends feedback; ids are hashed as `identify` hashes them. */
export interface Rater {
  readonly tenant: string;
  readonly key: string;
  readonly user: string | null;
  readonly session: string | null;
  readonly agent: string;
}

export interface StartedFeedback {
  /** Read right before the response's headers are written. */
  settled(): 'accepted' | 'pending' | { readonly rejected: string };
  /** Resolves when it is durable or refused; never rejects. */
  readonly done: Promise<void>;
}
