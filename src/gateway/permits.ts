import type { CallEvent } from '../core/event.ts';
import type { Experiment, Permit } from '../core/state.ts';

/**
 * Permission to serve canary arms, as the gateway holds it. No permit, no exposure; a permit that
 * expires, or a hard trigger that fires, sets the arm's share to 0, journals `canary.withheld`, and
 * keeps it so until a permit of a higher epoch says that the worker has made it a row's state.
 */
export interface Permits {
  receive(permits: readonly Permit[]): void;
  /** The share in force for a live experiment, 0 where it may not be served. */
  shareOf(experiment: Experiment): number;
  /** A canary's call has ended: feeds the hard triggers. */
  observeCall(event: CallEvent): void;
  /** A user complained about a call of this experiment's canary arm. */
  observeComplaint(experiment: string, rater: string): void;
  /** Experiment id to the reason why its arm is withheld. */
  withheld(): Readonly<Record<string, string>>;
  /** `hive freeze`: every share is 0 until it is lifted. */
  setFrozen(frozen: boolean): void;
  close(): void;
}
