import type { LoadedPolicy } from '../config/snapshot.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { ChildReport, GatewayReport } from '../core/state.ts';
import type { AbExperiments } from '../oracle/ab-answers.ts';
import type { RunningFollowUps } from '../oracle/follow-ups/create-follow-ups.ts';
import type { RouterReport } from '../oracle/learn-table.ts';
import type { Oracle } from '../oracle/oracle.ts';
import type { Prompts } from '../oracle/prompt-views.ts';
import type { Proposals } from '../oracle/proposals/proposals.ts';

/** All that the admin API is given. It holds no state of its own. */
export interface AdminDeps {
  readonly oracle: Oracle;
  readonly prompts: Prompts;
  /** A/B experiments; none where it is absent. */
  readonly experiments?: AbExperiments;
  /** Prompts that a model proposes; null where no model can be reached. */
  readonly proposals?: Proposals | null;
  readonly followUps?: Pick<RunningFollowUps, 'status'> | null;
  readonly store: StoreHealth;
  /** What the routers that learn believe; none where it is absent. */
  readonly routers?: () => readonly RouterReport[];
  /** What the gateway last said of itself; null before it has, or where it has fallen silent. */
  readonly report: () => GatewayReport | null;
  /** The worker's own; the gateway's come with its report. */
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  /** A loopback name or address. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly extras: () => StatusExtras;
  readonly limits?: Partial<AdminLimits>;
}

export interface StoreHealth {
  readonly kind: 'pglite' | 'postgres';
  /** Resolves where the store answers, rejects with the reason where it does not. */
  check(): Promise<void>;
}

/** What `/status` and the page say that neither the oracle nor the gateway's report holds. */
export interface StatusExtras {
  readonly product_version: string;
  /** Where clients send calls, such as `http://127.0.0.1:8091`. */
  readonly gateway_url: string;
  /** The absolute path of the data directory, so that `hive freeze` can tell if it has another. */
  readonly data_dir: string;
  readonly journal_lag_bytes: number;
  readonly loaded: LoadedPolicy;
  /** Children beyond those in the gateway's report. */
  readonly children?: Readonly<Record<string, ChildReport>>;
}

export interface AdminLimits {
  /** A tick still running after this is answered 202. */
  readonly tick_ms: number;
  /** Anything else is answered 503 after this: httpx gives up at 5 s. */
  readonly answer_ms: number;
  /** `/health`, `/ready` and `/status` wait no longer for the store or the oracle. */
  readonly look_ms: number;
}

export const ADMIN_LIMITS: AdminLimits = { tick_ms: 3500, answer_ms: 3800, look_ms: 1000 };

export function limitsOf(deps: AdminDeps): AdminLimits {
  return { ...ADMIN_LIMITS, ...deps.limits };
}
