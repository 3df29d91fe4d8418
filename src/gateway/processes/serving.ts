import { compileSnapshot } from '../../config/compile.ts';
import { type Current, createCurrent } from '../../config/current.ts';
import type { Environment } from '../../config/env.ts';
import type { HostFactory } from '../../config/hosts.ts';
import { writeLastGood } from '../../config/last-good.ts';
import { writeLastLoaded } from '../../config/last-loaded.ts';
import type { LoadedPolicy, Snapshot } from '../../config/snapshot.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { PolicySwappedEvent } from '../../core/event.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { PluginRegistry } from '../../core/plugin.ts';
import type { ProviderRegistry } from '../../core/provider.ts';
import type { Control, State } from '../../core/state.ts';
import type { Bus } from '../../events/bus.ts';
import { type After, afterUnref } from '../clock/after.ts';

export interface ServingDeps {
  readonly environment: Environment;
  readonly plugins: PluginRegistry;
  readonly providers: ProviderRegistry;
  /** Names of the gates: a policy that names another does not load. */
  readonly gates: readonly string[];
  readonly hosts: HostFactory;
  readonly data_dir: string;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly after?: After;
}

/** All that a snapshot is made of. */
export interface Sources {
  readonly loaded: LoadedPolicy;
  readonly state: State;
  readonly control: Control;
}

/**
 * The one place where a policy is put in force: compiled, saved, swapped, journalled, in this
 * order.
 */
export interface Serving {
  readonly current: Current;
  sources(): Sources;
  /** Throws where the sources do not compile, and then nothing has changed. */
  put(next: Sources): void;
  journalled(): Promise<void>;
  close(): Promise<void>;
}

const SAVE_AGAIN_MS = 1000;

export function createServing(deps: ServingDeps, first: Sources): Serving {
  const { data_dir, bus, clock, log, metrics, after = afterUnref } = deps;
  const current = createCurrent(compile(deps, first));
  let sources = first;
  let cancelSave = (): void => {};
  let journalled = Promise.resolve();

  const save = (): void => {
    cancelSave();
    const { state, loaded } = sources;
    try {
      writeLastGood(data_dir, { state, source_sha256: loaded.source_sha256 });
    } catch (error) {
      // A full disk must not stop a rollback: it is served all the same, and saved when there is
      // room.
      log.error('last-good.json is not written', { error: messageOf(error) });
      cancelSave = after(save, SAVE_AGAIN_MS);
    }
  };

  /** On the disk at once, in the order of the swaps: the worker waits for it to say `effective`. */
  const journal = ({ epoch, version, superseded }: Snapshot): void => {
    const event: PolicySwappedEvent = {
      type: 'policy.swapped',
      v: 1,
      at_ms: clock.policy_ms(),
      epoch,
      version,
      superseded: superseded.map((row) => row.id),
    };
    journalled = journalled
      .then(() => bus.acknowledge([event]))
      .catch((error: unknown) => {
        log.error('policy.swapped is not journalled', { error: messageOf(error) });
      });
  };

  journal(current.snapshot);
  writeLastLoaded(data_dir, first.loaded, log);
  return {
    current,
    sources: () => sources,
    put(next) {
      const snapshot = compile(deps, next);
      const before = sources;
      sources = next;
      if (next.state !== before.state) save();
      if (next.loaded !== before.loaded) writeLastLoaded(data_dir, next.loaded, log);
      void current.swap(snapshot);
      metrics.add('hive_policy_swaps_total');
      journal(snapshot);
    },
    journalled: () => journalled,
    async close() {
      cancelSave();
      await journalled;
    },
  };
}

export function compile(deps: ServingDeps, sources: Sources): Snapshot {
  const { environment, plugins, providers, hosts: host } = deps;
  return compileSnapshot({ ...sources, environment, plugins, providers, host });
}
