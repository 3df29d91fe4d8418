import type { Snapshot, Target } from '../config/snapshot.ts';
import { GatewayError } from '../core/errors.ts';
import type { UpstreamFailure } from '../core/provider.ts';
import type { Client } from './client.ts';
import { failed, isWorthRepeating } from './failures.ts';
import { type HookRun, runAttemptHooks } from './hooks.ts';
import { tryOrder } from './route.ts';
import { type DispatchDeps, type Dispatched, type Trial, tryTarget } from './try-target.ts';

/**
 * Tries targets in order until one answers. Before the first byte to the client a retryable failure
 * is followed by another attempt, elsewhere first, as long as retries and time are left; the
 * failure told in the end is the first one that the upstream explained, not the noise of the
 * fallbacks.
 */
export async function dispatch(
  run: HookRun,
  snapshot: Snapshot,
  client: Client,
  deps: DispatchDeps,
): Promise<Dispatched> {
  const { retry, breaker } = snapshot.policy.resilience;
  const trials = { run, client, deps, breaker, ...timeLimit(run, snapshot) };
  const failures: UpstreamFailure[] = [];
  const latest = new Map<Target, UpstreamFailure>();

  for (const candidate of tryOrder(run, snapshot, deps.targets, retry.retries)) {
    const { target } = candidate;
    const before = latest.get(target);
    const waited = before && (await backOff(before, failures.length, retry.backoff_ms, trials));
    if (client.gone) return { kind: 'aborted' };
    if (waited === 'pointless' || !runAttemptHooks(run, candidate.view)) continue;
    const ticket = deps.targets.admit(target, breaker, candidate.force);
    if (ticket === null) continue;
    const result = await tryTarget({ ...trials, target }, ticket);
    if (result.kind !== 'failed') return result;
    failures.push(result.failure);
    latest.set(target, result.failure);
    if (!result.failure.retryable || deps.clock.monotonic_ms() >= trials.deadline_ms) break;
  }
  return { kind: 'failed', failure: mostUseful(failures) };
}

function timeLimit(
  { call, progress }: HookRun,
  snapshot: Snapshot,
): Pick<Trial, 'deadline_ms' | 'late'> {
  const { total_ms } = snapshot.policy.resilience.timeouts;
  const hurried = call.timeout_ms !== null && call.timeout_ms < total_ms;
  const late = failed('upstream_timeout', 'The call took longer than it may.');
  return {
    deadline_ms: progress.started_ms + (hurried ? (call.timeout_ms ?? 0) : total_ms),
    // A client in a hurry must not open breakers for everybody else.
    late: { ...late, counts: !hurried },
  };
}

/**
 * Full jitter, so that clients who failed together do not come back together. An upstream that says
 * when to come back is obeyed; where that is longer than we would wait, or a repetition could not
 * help, there is none.
 */
async function backOff(
  failure: UpstreamFailure,
  tries: number,
  [least_ms, most_ms]: readonly [number, number],
  { run, client, deps, deadline_ms }: Pick<Trial, 'run' | 'client' | 'deps' | 'deadline_ms'>,
): Promise<'waited' | 'pointless'> {
  const asked_ms = (failure.retry_after_s ?? 0) * 1000;
  const ceiling_ms = Math.min(most_ms, least_ms * 2 ** (tries - 1));
  const wait_ms = Math.max(asked_ms, deps.random() * ceiling_ms);
  const begun_ms = deps.clock.monotonic_ms();
  if (!isWorthRepeating(failure) || asked_ms > most_ms) return 'pointless';
  if (begun_ms + wait_ms >= deadline_ms) return 'pointless';
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, wait_ms);
  await client.unlessGone(promise);
  clearTimeout(timer);
  run.progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
  return 'waited';
}

function mostUseful(failures: readonly UpstreamFailure[]): UpstreamFailure {
  const useful = failures.find((failure) => failure.body !== null) ?? failures[0];
  if (useful) return useful;
  throw new GatewayError('no_target', 'No target of this agent can be asked now.');
}
