import type { CallEvent } from '../../core/event.ts';
import type { TriggerPolicy } from '../../core/policy.ts';
import type { Experiment, Permit } from '../../core/state.ts';
import {
  observeComplaint,
  observeOutcome,
  type TriggerState,
  trippedBy,
} from '../../core/triggers.ts';
import { watchedArm } from './assignment.ts';
import { createHeldPermits } from './held-permits.ts';
import type { WithholdingDeps } from './withholding.ts';

/**
 * Permission to serve canary arms, as the gateway holds it. No permit, no exposure; a permit that
 * expires, or a hard trigger that fires, sets the arm's share to 0, journals `canary.withheld`, and
 * keeps it so until a permit of a higher epoch says that the worker has made it a row's state.
 */
export interface Permits {
  receive(permits: readonly Permit[]): void;
  /** The share in force for a live experiment, 0 where it may not be served. */
  shareOf(experiment: Experiment): number;
  /** A call of an experiment has ended: its arm's hard triggers are fed, control has none. */
  observeCall(event: CallEvent): void;
  /** A user complained about a call of an arm, as `watchedArm` calls it. */
  observeComplaint(watched: string, rater: string): void;
  /** Experiment id to the reason why its arm is withheld. */
  withheld(): Readonly<Record<string, string>>;
  /** `hive freeze`: every share is 0 until it is lifted. */
  setFrozen(frozen: boolean): void;
  close(): void;
}

/** Nobody's: no arm is served, and nothing is watched. */
export const noPermits: Permits = {
  receive() {},
  shareOf: () => 0,
  observeCall() {},
  observeComplaint() {},
  withheld: () => ({}),
  setFrozen() {},
  close() {},
};

export interface PermitsDeps extends WithholdingDeps {
  /** The hard triggers of the policy in force. */
  triggers(): TriggerPolicy;
}

export function createPermits(deps: PermitsDeps): Permits {
  const { clock } = deps;
  const held = createHeldPermits(deps);
  let frozen = false;

  const observe = (experiment: string, note: (state: TriggerState) => void): void => {
    const state = held.triggersOf(experiment);
    if (!state) return;
    note(state);
    const reason = trippedBy(state, deps.triggers(), clock.policy_ms());
    if (reason !== null) held.withhold(experiment, 'trigger', reason);
  };

  return {
    receive: (permits) => held.receive(permits),
    shareOf(experiment) {
      return frozen || experiment.state !== 'canary' ? 0 : held.shareOf(experiment);
    },
    observeCall(event) {
      const watched = watchedArm(event.experiment, event.arm);
      if (watched === null || !isEvidence(event)) return;
      observe(watched, (state) => {
        observeOutcome(state, event.arm_error, event.latency_ms);
      });
    },
    observeComplaint(experiment, rater) {
      observe(experiment, (state) => observeComplaint(state, rater, clock.policy_ms()));
    },
    withheld: () => held.withheld(),
    setFrozen(value) {
      frozen = value;
    },
    close: () => held.close(),
  };
}

/**
 * Rejected calls say nothing of the arm, nor do those that the client gave up on before the arm had
 * failed; synthetic calls are not its users'.
 */
function isEvidence(event: CallEvent): boolean {
  if (event.origin !== 'client' || event.outcome === 'rejected') return false;
  return event.outcome !== 'aborted' || event.arm_error;
}
