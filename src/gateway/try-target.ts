import type { Target } from '../config/snapshot.ts';
import type { Attempt } from '../core/call.ts';
import type { Json } from '../core/canonical.ts';
import type { Clock } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Resilience } from '../core/policy.ts';
import type { ProviderRequest, UpstreamFailure } from '../core/provider.ts';
import { type AttemptResult, type RunningAttempt, startAttempt } from './attempt.ts';
import type { Client } from './client.ts';
import { failed } from './failures.ts';
import { type HookRun, runAttemptEndHooks } from './hooks.ts';
import { addFacts, proveAdapter } from './progress.ts';
import { isAbsent, type Targets, type Ticket } from './targets.ts';
import type { Upstream } from './upstream.ts';

export interface DispatchDeps {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly targets: Targets;
  readonly upstream: Upstream;
  random(): number;
}

/** What a call came to upstream; nothing of it has reached the client yet. */
export type Dispatched =
  | (Extract<AttemptResult, { kind: 'whole' }> & { readonly target: Target })
  | (Extract<AttemptResult, { kind: 'stream' }> & {
      readonly target: Target;
      /** The stream is over: exactly once, however it ended. */
      end(outcome: Attempt['outcome'], failure: UpstreamFailure | null): void;
    })
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }
  | { readonly kind: 'aborted' };

/** One attempt under way: its place at the target, and its account when it is over. */
interface Opened {
  readonly target: Target;
  readonly ticket: Ticket;
  close(outcome: Attempt['outcome'], failure: UpstreamFailure | null): void;
}

/** What one try at one target needs. */
export interface Trial {
  readonly run: HookRun;
  readonly client: Client;
  readonly deps: DispatchDeps;
  readonly target: Target;
  readonly breaker: Resilience['breaker'];
  readonly deadline_ms: number;
  /** What it comes to when the call's time is up. */
  readonly late: UpstreamFailure;
}

/** One target, and where its adapter cannot be had, at once the same target without it. */
export async function tryTarget(trial: Trial, ticket: Ticket): Promise<Dispatched> {
  const { run, target, deps } = trial;
  const adapter = adapterFor(run, target);
  const opened = openAttempt(trial, ticket);
  const result = await runAttempt(trial, adapter, opened);
  if (result.kind !== 'failed' || result.failure.code !== 'adapter_unavailable') return result;
  run.progress.adapter.reason = 'unavailable';
  const again = deps.targets.admit(target, trial.breaker, true);
  if (again === null) return result;
  return runAttempt(trial, null, openAttempt(trial, again));
}

async function runAttempt(
  trial: Trial,
  adapter: string | null,
  opened: Opened,
): Promise<Dispatched> {
  const { run, client, deps, target } = trial;
  const { progress, call } = run;
  const begun_ms = deps.clock.monotonic_ms();
  const left_ms = Math.min(
    trial.deadline_ms - begun_ms,
    target.timeouts.total_ms - (begun_ms - progress.started_ms),
  );
  const refusal = left_ms <= 0 ? trial.late : isAbsent(target) ? ABSENT : null;
  if (refusal) {
    opened.close('error', refusal);
    return { kind: 'failed', failure: refusal };
  }
  let running: RunningAttempt;
  try {
    const request = target.provider.encode(requestFor(run, target, adapter));
    const spec = { target, stream: call.stream, adapter, request, left_ms, late: trial.late };
    running = startAttempt(deps.upstream, spec);
  } catch (thrown) {
    opened.close('aborted', null);
    throw thrown;
  }
  const result = await client.unlessGone(running.result);
  progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
  if (result === 'gone') {
    running.abort();
    opened.close('aborted', null);
    return { kind: 'aborted' };
  }
  if (result.kind === 'failed') {
    opened.close('error', result.failure);
    return result;
  }
  progress.served = target.name;
  if (result.kind === 'whole') {
    addFacts(progress, result.facts);
    proveAdapter(progress);
    opened.close('ok', null);
    return { ...result, target };
  }
  opened.ticket.answering();
  return { ...result, target, end: (outcome, failure) => opened.close(outcome, failure) };
}

function requestFor(run: HookRun, target: Target, adapter: string | null): ProviderRequest {
  const { call, progress, plan } = run;
  const defaults: Record<string, Json> = {};
  for (const [field, value] of Object.entries(plan.view.entry.params)) {
    if (!Object.hasOwn(call.body, field)) defaults[field] = value;
  }
  return {
    call,
    model: target.model,
    patch: { ...defaults, ...progress.patch.body },
    adapter,
    include_usage: call.stream,
  };
}

/** The adapter to ask this target for; what it cannot be asked for is told, not asked. */
function adapterFor(run: HookRun, target: Target): string | null {
  const wanted = run.progress.patch.adapter ?? null;
  if (wanted === null) return null;
  run.progress.adapter.requested = wanted;
  if (target.provider.adapters.includes(wanted)) return wanted;
  run.progress.adapter.reason = 'unknown';
  return null;
}

function openAttempt(trial: Trial, ticket: Ticket): Opened {
  const { run, deps, target } = trial;
  const { progress } = run;
  const begun_ms = deps.clock.monotonic_ms();
  progress.tries += 1;
  return {
    target,
    ticket,
    close(outcome, failure) {
      const counts = outcome === 'error' && (failure?.counts ?? true);
      ticket.settle(outcome === 'ok' ? 'ok' : counts ? 'failed' : 'neutral');
      const first_ms = progress.served === target.name ? progress.ttft_ms : null;
      const attempt: Attempt = {
        target: target.name,
        outcome,
        error: failure?.code ?? null,
        ttft_ms: first_ms === null ? null : first_ms - (begun_ms - progress.started_ms),
        ms: deps.clock.monotonic_ms() - begun_ms,
      };
      progress.attempts.push(attempt);
      deps.metrics.add('hive_attempts_total', [target.name, outcome]);
      runAttemptEndHooks(run, attempt);
    },
  };
}

const ABSENT = failed('upstream_unreachable', 'The engine of this target is not up.');
