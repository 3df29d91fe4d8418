import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Policy } from '../core/policy.ts';
import { createFileDigests } from './file-digests.ts';
import { loadedOrLast } from './last-loaded.ts';
import { type LoadInput, loadPolicy } from './load.ts';
import type { LoadedPolicy } from './snapshot.ts';
import { watchPolicies } from './watch.ts';

export interface FollowedPolicy {
  loaded(): LoadedPolicy;
  close(): void;
}

/**
 * The YAML as a process reads it that serves nothing by it. One that does not load changes nothing
 * here either; the gateway says what is wrong, in `/status` and in its log. At the start, what was
 * last served stands in; where there is none, it throws.
 */
export function followPolicy(
  input: Omit<LoadInput, 'digests'>,
  log: Log,
  last: () => LoadedPolicy | null = () => null,
): FollowedPolicy {
  const digests = createFileDigests();
  const first = loadedOrLast(() => loadPolicy({ ...input, digests }), last);
  if (first.error !== null) log.warn('started by the policy before', { error: first.error });
  let { loaded } = first;
  const watch = watchPolicies(input.dir, () => {
    try {
      const next = loadPolicy({ ...input, digests });
      for (const version of editedVersions(loaded.policy.prompts, next.policy.prompts)) {
        log.warn('a version of a prompt was edited: add one instead, or figures mix', { version });
      }
      loaded = next;
    } catch (error) {
      log.info('the policy on disk does not load', { error: messageOf(error) });
    }
  });
  return { loaded: () => loaded, close: () => watch.close() };
}

/** Versions, as `name@version`, whose content is no longer what it was. */
export function editedVersions(
  before: Policy['prompts'],
  after: Policy['prompts'],
): readonly string[] {
  return Object.entries(after).flatMap(([name, { versions }]) => {
    const old = Object.hasOwn(before, name) ? before[name]?.versions : undefined;
    const edited = Object.entries(versions).filter(([version, digest]) => {
      return old !== undefined && Object.hasOwn(old, version) && old[version] !== digest;
    });
    return edited.map(([version]) => `${name}@${version}`);
  });
}
