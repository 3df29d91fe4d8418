import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { CanaryWithheldEvent } from '../../core/event.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Bus } from '../../events/bus.ts';
import { type After, afterUnref } from '../clock/after.ts';

export interface WithholdingDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly log: Log;
  readonly metrics: Metrics;
  /** `canary.withheld` is durable now: the worker is to read it at once. */
  onWithheld?(event: CanaryWithheldEvent): void;
  readonly after?: After;
}

/** Tells the worker, through the journal, that an arm is withheld: until it is durable, again. */
export interface Withholding {
  tell(
    experiment: string,
    epoch: number,
    cause: CanaryWithheldEvent['cause'],
    reason: string,
  ): void;
  close(): void;
}

const AGAIN_MS = 1000;

export function createWithholding(deps: WithholdingDeps): Withholding {
  const { clock, bus, log, metrics, after = afterUnref } = deps;
  const waiting = new Set<() => void>();
  let closed = false;

  const again = (event: CanaryWithheldEvent): void => {
    if (closed) return;
    const cancel = after(() => {
      waiting.delete(cancel);
      journal(event);
    }, AGAIN_MS);
    waiting.add(cancel);
  };

  const journal = (event: CanaryWithheldEvent): void => {
    bus.acknowledge([event]).then(
      () => deps.onWithheld?.(event),
      (error: unknown) => {
        log.error('canary.withheld is not durable yet', { error: messageOf(error) });
        again(event);
      },
    );
  };

  return {
    tell(experiment, epoch, cause, reason) {
      metrics.add('hive_canary_withheld_total', [cause]);
      log.warn('canary arm withheld', { experiment, epoch, cause, reason });
      const at_ms = clock.policy_ms();
      journal({ type: 'canary.withheld', v: 1, at_ms, experiment, epoch, cause, reason });
    },
    close() {
      closed = true;
      for (const cancel of waiting) cancel();
    },
  };
}
