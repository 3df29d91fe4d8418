import type { SampleCount } from '../../store/prompt-samples.ts';
import type { Spent } from '../../store/proposal-budget.ts';
import type { BreakerState } from '../models/model-breaker.ts';
import type { Candidate, Pair } from './candidate.ts';

/** Prompt proposals as the admin API and the command line see them. */
export interface Proposals {
  status(): Promise<ProposalsStatus>;
  list(): Promise<readonly CandidateSummary[]>;
  show(id: string): Promise<CandidateDetail>;
  /** Deletes what a user or a session of a tenant said; how many samples that were. */
  forget(who: ForgetSaid): Promise<{ readonly deleted: number }>;
}

export interface ForgetSaid {
  readonly tenant: string;
  readonly user?: string | undefined;
  readonly session?: string | undefined;
}

export type ProposalsState =
  /** No `proposals.prompt` in the policy. */
  | 'off'
  /** The oracle is switched off, or the gateway is frozen. */
  | 'paused'
  | 'budget_spent'
  | 'breaker_open'
  | 'waiting'
  | 'working';

export interface ProposalsStatus {
  readonly state: ProposalsState;
  readonly reason: string;
  readonly spent: Spent & { readonly day: string };
  readonly budget: {
    readonly calls_per_day: number;
    readonly tokens_per_day: number;
    readonly usd_per_day?: number;
  } | null;
  readonly breaker: BreakerState;
  readonly samples: readonly SampleCount[];
  /** What each agent waits for. */
  readonly agents: Readonly<Record<string, string>>;
}

export type CandidateSummary = Omit<Candidate, 'pairs' | 'content' | 'calls' | 'tenant'> & {
  readonly pairs: Readonly<Record<Pair['outcome'], number>>;
  /** Of the plan, where there is one. */
  readonly plan_state: string | null;
};

export interface CandidateDetail extends CandidateSummary {
  readonly calls: readonly string[];
  /** The version as lines for people; none where it was refused. */
  readonly lines: readonly string[];
}
