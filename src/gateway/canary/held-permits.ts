import type { CanaryWithheldEvent } from '../../core/event.ts';
import type { Experiment, Permit } from '../../core/state.ts';
import { createTriggerState, type TriggerState } from '../../core/triggers.ts';
import { afterUnref } from '../clock/after.ts';
import { createWithholding, type WithholdingDeps } from './withholding.ts';

/** The permits that the worker gave, how long each lasts, and which arms are withheld in spite. */
export interface HeldPermits {
  receive(permits: readonly Permit[]): void;
  shareOf(experiment: Pick<Experiment, 'id' | 'epoch'>): number;
  withhold(experiment: string, cause: CanaryWithheldEvent['cause'], reason: string): void;
  /** What the hard triggers have seen of an experiment; undefined where it never had a permit. */
  triggersOf(experiment: string): TriggerState | undefined;
  withheld(): Readonly<Record<string, string>>;
  close(): void;
}

/** Experiments remembered beyond those that hold a permit; nobody asks for one that has ended. */
const REMEMBERED_MAX = 1000;

interface Held {
  readonly experiment: string;
  /** The highest epoch that a permit had: a lower one is void. */
  epoch: number;
  share: number;
  expires_ms: number;
  withheld: { readonly cause: CanaryWithheldEvent['cause']; readonly reason: string } | null;
  triggers: TriggerState;
  cancel(): void;
}

export function createHeldPermits(deps: WithholdingDeps): HeldPermits {
  const { clock, after = afterUnref } = deps;
  const withholding = createWithholding(deps);
  const all = new Map<string, Held>();
  let closed = false;

  /** A trigger outranks an expiry (it reverts, an expiry pauses): it is told even after one. */
  const withhold = (held: Held, cause: CanaryWithheldEvent['cause'], reason: string): void => {
    if (closed || held.withheld?.cause === cause) return;
    letGo(held);
    held.withheld = { cause, reason };
    withholding.tell(held.experiment, held.epoch, cause, reason);
  };

  const expireIfDue = (held: Held): void => {
    if (held.share === 0) return;
    const left_ms = held.expires_ms - clock.monotonic_ms();
    if (left_ms <= 0) withhold(held, 'expired', EXPIRED);
    else held.cancel = after(() => expireIfDue(held), left_ms);
  };

  const receiveOne = (permit: Permit): void => {
    const held = all.get(permit.experiment) ?? blank(permit.experiment);
    if (!isAllowed(held, permit)) return;
    if (held.withheld) {
      held.withheld = null;
      held.triggers = createTriggerState();
    }
    letGo(held);
    all.delete(permit.experiment);
    all.set(permit.experiment, held);
    held.epoch = permit.epoch;
    held.share = permit.ttl_ms > 0 ? permit.share : 0;
    held.expires_ms = clock.monotonic_ms() + permit.ttl_ms;
    expireIfDue(held);
  };

  return {
    receive(permits) {
      if (closed) return;
      const named = new Set(permits.map((permit) => permit.experiment));
      for (const held of all.values()) if (!named.has(held.experiment)) letGo(held);
      for (const permit of permits) receiveOne(permit);
      forgetOldest(all);
    },
    shareOf({ id, epoch }) {
      const held = all.get(id);
      if (!held || closed || held.share === 0 || held.epoch < epoch) return 0;
      if (clock.monotonic_ms() < held.expires_ms) return held.share;
      // The event loop was held up and the timer is late: time counts, not the timer.
      withhold(held, 'expired', EXPIRED);
      return 0;
    },
    withhold(experiment, cause, reason) {
      const held = all.get(experiment);
      if (held) withhold(held, cause, reason);
    },
    triggersOf: (experiment) => all.get(experiment)?.triggers,
    withheld() {
      const reasons = [...all.values()].map((held) => [held.experiment, held.withheld?.reason]);
      return Object.fromEntries(reasons.filter(([, reason]) => reason !== undefined));
    },
    close() {
      closed = true;
      for (const held of all.values()) held.cancel();
      withholding.close();
    },
  };
}

const EXPIRED = 'the permit expired: no heartbeat of the worker';

/**
 * A lower epoch is void, and what is withheld stays so until the worker has made it a row's state.
 */
function isAllowed(held: Held, permit: Permit): boolean {
  if (!(permit.share >= 0 && permit.share <= 1)) return false;
  return held.withheld ? permit.epoch > held.epoch : permit.epoch >= held.epoch;
}

function blank(experiment: string): Held {
  const triggers = createTriggerState();
  return {
    experiment,
    epoch: 0,
    share: 0,
    expires_ms: 0,
    withheld: null,
    triggers,
    cancel() {},
  };
}

/** The share is 0 from now; where the worker left it out of its permits, that is no expiry. */
function letGo(held: Held): void {
  held.cancel();
  held.share = 0;
}

function forgetOldest(all: Map<string, Held>): void {
  for (const held of all.values()) {
    if (all.size <= REMEMBERED_MAX) return;
    if (held.share === 0) all.delete(held.experiment);
  }
}
