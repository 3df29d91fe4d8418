import type { AbEntry } from '../core/ab/entry.ts';
import type { AbReport, AbVerdict } from '../core/ab/report.ts';

/** Experiments as the admin API and the command line see them. */
export interface AbSummary {
  readonly name: string;
  /** `<name>@<digest>`: another definition is another run. */
  readonly run: string;
  readonly agent: string;
  /** `waiting`: not begun, since a canary of the agent must end first. */
  readonly state: 'waiting' | 'running' | 'stopped' | 'removed';
  readonly arms: readonly {
    readonly arm: string;
    readonly share: number;
    readonly units: number;
    readonly dropped: string | null;
  }[];
  readonly metric: AbEntry['metric'];
  /** What it has come to so far, or for good, in a sentence. */
  readonly sentence: string;
  readonly verdict: AbVerdict | null;
  /** Whether units fall into the arms as the shares say; null before the first look. */
  readonly split: AbReport['split'] | null;
  readonly started_at: string | null;
  readonly stopped_at: string | null;
  /** What its agent’s calls get: `arms`, or the one arm that all get, and why. */
  readonly serves: string;
  readonly serves_why: string | null;
  /** The plan that was made of its winner, or why none was. */
  readonly plan: string | null;
  readonly no_plan: string | null;
}

export interface AbDetail extends AbSummary {
  readonly entry: AbEntry;
  /** Null before it has begun. */
  readonly report: AbReport | null;
}

export interface AbExperiments {
  /** Those of the policy, then those that were taken out of it, newest first. */
  list(): Promise<readonly AbSummary[]>;
  /** By name, or by run. Looked up and judged now. Throws `not_found`. */
  show(name: string): Promise<AbDetail>;
  /** Ends one: all get its `on_stop` arm. Twice is the same as once. Throws `not_found`. */
  stop(name: string, by: string | null, note: string | null): Promise<AbDetail>;
}
