import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { createFileDigests } from './file-digests.ts';
import { type LoadInput, loadPolicy } from './load.ts';
import type { LoadedPolicy } from './snapshot.ts';
import { watchPolicies } from './watch.ts';

export interface FollowedPolicy {
  loaded(): LoadedPolicy;
  close(): void;
}

/**
 * The YAML as a process reads it that serves nothing by it. One that does not load changes nothing
 * here either; the gateway says what is wrong, in `/status` and in its log.
 */
export function followPolicy(input: Omit<LoadInput, 'digests'>, log: Log): FollowedPolicy {
  const digests = createFileDigests();
  let loaded = loadPolicy({ ...input, digests });
  const watch = watchPolicies(input.dir, () => {
    try {
      loaded = loadPolicy({ ...input, digests });
    } catch (error) {
      log.info('the policy on disk does not load', { error: messageOf(error) });
    }
  });
  return { loaded: () => loaded, close: () => watch.close() };
}
