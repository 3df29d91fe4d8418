import type { LoadedPolicy } from '../config/snapshot.ts';
import type { Clock } from '../core/clock.ts';
import type { PolicySwappedEvent } from '../core/event.ts';
import type { IdKind } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type {
  DetectorRegistry,
  GateRegistry,
  MutationKind,
  MutationRegistry,
} from '../core/oracle.ts';
import type { Policy } from '../core/policy.ts';
import type { Permit, State } from '../core/state.ts';
import type { Observer } from '../store/observe.ts';
import type { Store } from '../store/open.ts';
import type { NamedDetector } from './analyze.ts';
import type { RouterReport } from './learn-table.ts';
import type { Acknowledging, Ledger } from './ledger.ts';
import type { OwnCallsDeps } from './models/own-calls-deps.ts';
import type { NamedGate } from './validate.ts';

/** What the worker lends the oracle: all that is not a pure function of data. */
export interface OracleDeps {
  readonly store: Store;
  readonly bus: Acknowledging;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The policy files as they stand now. */
  loaded(): LoadedPolicy;
  readonly problemsOf: (policy: Policy) => readonly string[];
  readonly detectors: DetectorRegistry;
  readonly mutations: MutationRegistry;
  readonly gates: GateRegistry;
  /** What the routers have learned; absent where nobody learns. */
  routers?(): readonly RouterReport[];
  /** Applies to the store what was journalled when it was called. */
  drain(): Promise<void>;
  /** Sends the gateway what it folds. */
  publish(state: State): void;
  publishPermits(permits: readonly Permit[]): void;
  /** `hive freeze`: nothing new is executed or ramped; taking back still works. */
  frozen(): boolean;
  /** Adds a rollback key to `control.json`, durably: the gateway obeys it without us. */
  writeControlWithdrawn(key: string): void;
  /** How it reaches the gateway as itself; without it no model is asked for anything. */
  readonly ownCalls?: OwnCallsDeps;
  /** Draws the jitter of the schedule; 0 ≤ x < 1. */
  readonly random?: () => number;
}

/** The deps with what is made of them once; every stage works on this. */
export interface OracleContext extends OracleDeps {
  readonly ledger: Ledger;
  readonly observer: Observer;
  readonly kinds: readonly MutationKind[];
  readonly detect: readonly NamedDetector[];
  gatesNow(): readonly NamedGate[];
  readonly createId: (kind: IdKind) => string;
  readonly effect: Effect;
}

/** Learns from `policy.swapped` which epoch the gateway serves. */
export interface Effect {
  seen(event: Pick<PolicySwappedEvent, 'epoch'>): void;
  /** True once the epoch is served; false where that does not come within `wait_ms`. */
  wait(epoch: number, wait_ms?: number): Promise<boolean>;
}

const EFFECTIVE_WAIT_MS = 1000;

export function createEffect(): Effect {
  let served = -1;
  const waiting = new Set<{ epoch: number; done(served: boolean): void }>();
  return {
    seen({ epoch }) {
      served = Math.max(served, epoch);
      for (const waiter of waiting) if (waiter.epoch <= served) waiter.done(true);
    },
    wait(epoch, wait_ms = EFFECTIVE_WAIT_MS) {
      if (epoch <= served) return Promise.resolve(true);
      return new Promise((resolve) => {
        const waiter = {
          epoch,
          done(result: boolean) {
            clearTimeout(timer);
            waiting.delete(waiter);
            resolve(result);
          },
        };
        const timer = setTimeout(() => waiter.done(false), wait_ms);
        waiting.add(waiter);
      });
    },
  };
}
