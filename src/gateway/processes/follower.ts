import { readControl } from '../../config/control.ts';
import type { Current } from '../../config/current.ts';
import { createFileDigests, type FileDigests } from '../../config/file-digests.ts';
import { readLastGood } from '../../config/last-good.ts';
import { loadedOrLast, readLastLoaded } from '../../config/last-loaded.ts';
import { loadPolicy } from '../../config/load.ts';
import type { LoadedPolicy } from '../../config/snapshot.ts';
import { watchPolicies } from '../../config/watch.ts';
import { sameJson } from '../../core/canonical.ts';
import { messageOf } from '../../core/errors.ts';
import { type Control, EMPTY_STATE, type State } from '../../core/state.ts';
import type { Permits } from '../canary/permits.ts';
import { watchControl } from './control-watch.ts';
import { compile, createServing, type ServingDeps, type Sources } from './serving.ts';

export interface FollowerDeps extends ServingDeps {
  readonly permits?: Pick<Permits, 'setFrozen'>;
}

/**
 * Keeps the policy in force equal to: the YAML on disk, with the worker's newest rows folded over
 * it, without what `control.json` withdraws. Each of the three may change at any time, and each
 * change is carried out whole and at once, before the next is looked at. What does not compile
 * changes nothing.
 */
export interface Follower {
  readonly current: Current;
  /** The YAML that is served. */
  loaded(): LoadedPolicy;
  control(): Control;
  /** Why the YAML on disk, or the state that the worker sent, is not what is served; or null. */
  policyError(): string | null;
  /** The worker's state: a whole value; a lower epoch, or the same one again, changes nothing. */
  receive(state: State): void;
  /** Resolves when every swap so far is journalled, or has been refused by the disk. */
  journalled(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Throws where the YAML does not load: at the start there is no old policy to go on with. One of
 * several processes goes on with what the others serve; their parent has read the YAML before.
 */
export function createFollower(deps: FollowerDeps): Follower {
  const { environment, data_dir, log, metrics } = deps;
  const digests = createFileDigests();
  const boot = start(deps, digests);
  const serving = createServing(deps, boot.sources);
  /** A state that did not compile with the YAML of its day; an edit of the YAML may cure it. */
  let refused: Refused | null = boot.refused;
  let yamlError = boot.yamlError;

  const serve = (state: State): void => {
    try {
      serving.put({ ...serving.sources(), state });
      refused = null;
    } catch (error) {
      const why = `the state of epoch ${state.epoch} does not compile: ${messageOf(error)}`;
      refused = { state, why };
      log.error('the old policy goes on serving', { error: why });
    }
  };

  const reload = (): void => {
    try {
      const loaded = load(deps, digests);
      yamlError = null;
      if (loaded.source_sha256 === serving.sources().loaded.source_sha256) return;
      serving.put({ ...serving.sources(), loaded });
      log.info('policy reloaded', { version: serving.current.snapshot.version });
    } catch (error) {
      yamlError = messageOf(error);
      metrics.add('hive_policy_rejected_total');
      log.error('the policy on disk is not served', { error: yamlError });
      return;
    }
    if (refused) serve(refused.state);
  };

  const obey = (control: Control): void => {
    deps.permits?.setFrozen(isFrozen(deps, control));
    log.warn('control.json', { frozen: control.frozen, withdrawn: control.withdrawn.length });
    serving.put({ ...serving.sources(), control });
  };

  deps.permits?.setFrozen(isFrozen(deps, boot.sources.control));
  const policies = watchPolicies(environment.policies_dir, reload);
  const brake = watchControl({
    first: boot.sources.control,
    read: () => readControl(data_dir),
    onChange: obey,
    log,
  });
  return {
    current: serving.current,
    loaded: () => serving.sources().loaded,
    control: () => brake.control(),
    policyError: () => yamlError ?? refused?.why ?? null,
    receive(state) {
      const known = refused?.state ?? serving.sources().state;
      if (state.epoch >= known.epoch && !sameJson(state, known)) serve(state);
    },
    journalled: () => serving.journalled(),
    async close() {
      policies.close();
      brake.close();
      await serving.close();
    },
  };
}

interface Refused {
  readonly state: State;
  readonly why: string;
}

/**
 * The rows of the last good state are folded at once, so that a restart without a worker keeps
 * them.
 */
function start(
  deps: FollowerDeps,
  digests: FileDigests,
): {
  readonly sources: Sources;
  readonly refused: Refused | null;
  readonly yamlError: string | null;
} {
  const several = deps.environment.workers > 1;
  const last = () => (several ? readLastLoaded(deps.data_dir) : null);
  const { loaded, error: yamlError } = loadedOrLast(() => load(deps, digests), last);
  if (yamlError !== null) deps.log.error('the policy on disk is not served', { error: yamlError });
  const control = readControl(deps.data_dir);
  const state = readLastGood(deps.data_dir, deps.log)?.state ?? EMPTY_STATE;
  const sources = { loaded, control, state };
  try {
    compile(deps, sources);
    return { sources, refused: null, yamlError };
  } catch (error) {
    if (state === EMPTY_STATE) throw error;
    const why = `the last good state does not compile: ${messageOf(error)}`;
    deps.log.error('started without the rows of the last good state', { error: why });
    return { sources: { ...sources, state: EMPTY_STATE }, refused: { state, why }, yamlError };
  }
}

function load(deps: FollowerDeps, digests: FileDigests): LoadedPolicy {
  const { environment, providers, plugins, gates } = deps;
  const dir = environment.policies_dir;
  return loadPolicy({ dir, environment, providers, plugins, gates, digests });
}

/** Without feedback nothing could tell that a canary does harm, so none is served. */
function isFrozen({ environment }: FollowerDeps, control: Control): boolean {
  return control.frozen || !environment.switches.feedback_loop;
}
