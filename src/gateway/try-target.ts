import type { Target } from '../config/snapshot.ts';
import type { Attempt, Call, Note, Tokens } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { defaultFields, isGenerating } from '../core/default-fields.ts';
import type { Log, LogFields } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Resilience } from '../core/policy.ts';
import { costOf } from '../core/price.ts';
import type { DecodedChunk, ProviderRequest, UpstreamFailure } from '../core/provider.ts';
import { sizeOf } from '../core/routing/live-figures.ts';
import { choicesOf } from '../core/several-choices.ts';
import type { HeldBytes } from './bytes/held-bytes.ts';
import type { After } from './clock/after.ts';
import type { Running } from './hedge.ts';
import { type HookRun, runAttemptEndHooks } from './hooks/hooks.ts';
import { microseconds } from './hooks/progress.ts';
import type { Overload } from './overload.ts';
import type { Ticket } from './targets/live-target.ts';
import type { RetryBudget } from './targets/retry-budget.ts';
import { isAbsent, type Targets } from './targets/targets.ts';
import {
  type AttemptResult,
  type AttemptSpec,
  attempt,
  type RunningAttempt,
} from './upstream/attempt.ts';
import { failed } from './upstream/failures.ts';
import type { StreamSource } from './upstream/hold.ts';
import type { Upstream } from './upstream/upstream.ts';

export interface DispatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly targets: Targets;
  readonly budget: RetryBudget;
  /** Of answers that are asked for because of another. */
  readonly escalations: RetryBudget;
  readonly overload: Overload;
  readonly bytes: HeldBytes;
  /** Timers; real ones by default. */
  readonly after?: After;
  readonly upstream: Upstream;
  random(): number;
}

/** What a call came to upstream; nothing of it has reached the client yet. */
export type Dispatched =
  | (Whole & { readonly target: Target })
  | (Omit<Stream, 'stream'> & {
      readonly stream: StreamSource;
      /** The whole stream, where it was held to its end. */
      readonly held?: readonly DecodedChunk[];
      readonly target: Target;
      /** The stream is over: exactly once, however it ended. */
      end(outcome: Attempt['outcome'], failure: UpstreamFailure | null): void;
    })
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }
  | { readonly kind: 'aborted' };

type Whole = Extract<AttemptResult, { kind: 'whole' }>;
type Stream = Extract<AttemptResult, { kind: 'stream' }>;

/** What one target came to. Who takes the answer closes the account. */
export type Tried =
  | {
      readonly kind: 'answered';
      readonly target: Target;
      readonly answer: Whole | Stream;
      readonly notes: readonly Note[];
      /** How slow its first byte was, in units of the usual; null where nothing is usual yet. */
      readonly slowness: number | null;
      readonly close: (outcome: Attempt['outcome'], failure: UpstreamFailure | null) => void;
    }
  | { readonly kind: 'failed'; readonly target: Target; readonly failure: UpstreamFailure };

/** What one try at one target needs. */
export interface Trial {
  readonly run: HookRun;
  readonly deps: DispatchDeps;
  readonly target: Target;
  readonly resilience: Resilience;
  readonly deadline_ms: number;
  /** What it comes to when the call's time is up. */
  readonly late: UpstreamFailure;
}

/** One target, and where its adapter cannot be had, at once the same target without it. */
export function tryTarget(trial: Trial, ticket: Ticket): Running<Tried> {
  const { run, target, deps } = trial;
  const adapter = adapterFor(run, target);
  let current = startOne(trial, adapter, ticket);
  if (adapter === null) return current;
  let over = false;
  const result = current.result.then((tried) => {
    if (over || tried.kind !== 'failed') return tried;
    if (tried.failure.code !== 'adapter_unavailable') return tried;
    run.progress.adapter.reason = 'unavailable';
    const again = deps.targets.admit(target, trial.resilience, { force: true });
    if (again === null) return tried;
    current = startOne(trial, null, again);
    return current.result;
  });
  return {
    result,
    abort() {
      over = true;
      current.abort();
    },
  };
}

function startOne(trial: Trial, adapter: string | null, ticket: Ticket): Running<Tried> {
  const { run, deps, target } = trial;
  const { endpoint, stream } = run.call;
  let running: RunningAttempt<Tried> | null = null;
  const close = openAttempt(trial, ticket, () => running?.tokens ?? null);
  const begun_ms = deps.clock.monotonic_ms();
  const left_ms = Math.min(
    trial.deadline_ms - begun_ms,
    target.timeouts.total_ms - (begun_ms - run.progress.started_ms),
  );
  const refusal = left_ms <= 0 ? trial.late : isAbsent(target) ? ABSENT : null;
  if (refusal) {
    close('error', refusal);
    const failed = { kind: 'failed', target, failure: refusal } as const;
    return { result: Promise.resolve(failed), abort() {} };
  }
  let started: RunningAttempt<Tried>;
  try {
    const asked = requestFor(run, target, adapter);
    const request = target.provider.encode(asked);
    const spec: AttemptSpec = {
      target,
      endpoint,
      stream,
      created_s: Math.floor(run.call.at_ms / 1000),
      call_id: run.call.id,
      include_usage: asksForUsage(run.call),
      choices: choicesOf(run.call.body, asked.patch),
      adapter,
      request,
      left_ms,
      late: trial.late,
      hold: () => deps.bytes.open(trial.resilience.overload.bytes_max),
    };
    started = attempt(deps.upstream, spec, (answer) =>
      triedOf(trial, { ticket, close, lost: request.notes ?? NO_NOTES }, answer),
    );
  } catch (thrown) {
    close('aborted', null);
    throw thrown;
  }
  running = started;
  return {
    result: started.result,
    orGone: (client) => started.orGone(client),
    abort() {
      started.abort();
      close('aborted', null);
    },
  };
}

interface Open {
  readonly ticket: Ticket;
  readonly close: Extract<Tried, { kind: 'answered' }>['close'];
  /** What of the request the target cannot be told. */
  readonly lost: readonly Note[];
}

/** What an attempt came to: a failure closes its account, and an answer leaves it open. */
function triedOf(trial: Trial, { ticket, close, lost }: Open, answer: AttemptResult): Tried {
  const { run, deps, target } = trial;
  if (answer.kind === 'failed') {
    const { failure } = answer;
    close('error', failure);
    learn(trial, failure);
    return { kind: 'failed', target, failure };
  }
  deps.targets.readLimits(target, answer.headers);
  if (answer.kind === 'stream') ticket.answering(sizeOfCall(run.call));
  const slowness = ticket.slowness();
  const notes = answer.kind === 'whole' ? joined(lost, answer.notes) : lost;
  return { kind: 'answered', target, answer, notes, slowness, close };
}

const NO_NOTES: readonly Note[] = [];

/** What of the request was lost, then what of the answer: nearly always nothing. */
function joined(asked: readonly Note[], answered: readonly Note[] | undefined): readonly Note[] {
  return answered && answered.length > 0 ? [...asked, ...answered] : asked;
}

/** What a refusal says of the target beyond this call. */
function learn({ deps, target, resilience }: Trial, failure: UpstreamFailure): void {
  if (failure.class === 'rate_limit') {
    deps.targets.limit(target, resilience, failure.retry_after_s);
  } else if (failure.class === 'credentials') {
    deps.metrics.add('hive_provider_refused_total', [target.name]);
    tell(deps, target, 'a provider refuses our credentials');
  } else if (failure.class === 'unknown_model') {
    deps.metrics.add('hive_unknown_model_total', [target.name]);
    deps.targets.setAside(target);
    tell(deps, target, 'a provider does not know a target’s model', { model: target.model });
  } else if (failure.class === 'redirect') {
    tell(deps, target, 'a provider redirects: its base URL may be wrong');
  } else if (failure.fault !== undefined) {
    tell(deps, target, 'a provider’s code failed at an answer', { error: failure.fault });
  }
}

/** An operator of what only an operator can mend: once a minute. */
function tell(deps: DispatchDeps, target: Target, what: string, more: LogFields = {}): void {
  if (!deps.targets.alarm(target)) return;
  deps.log.error(what, { target: target.name, provider: target.provider_name, ...more });
}

function requestFor(run: HookRun, target: Target, adapter: string | null): ProviderRequest {
  const { call, progress, plan } = run;
  return {
    call,
    model: target.model,
    patch: { ...defaultFields(call, plan.view.entry.params), ...progress.patch.body },
    adapter,
    include_usage: call.stream,
  };
}

function asksForUsage({ body }: Call): boolean {
  const options = body.stream_options as { include_usage?: unknown } | null | undefined;
  return options?.include_usage === true;
}

/** None where the answer is no text. */
function sizeOfCall({ endpoint, raw }: Call): number {
  return isGenerating(endpoint) ? sizeOf(raw.length) : -1;
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

/** Opens the account of an attempt; what is returned closes it, once. */
function openAttempt(
  { run, deps, target }: Trial,
  ticket: Ticket,
  reported: () => Tokens | null,
): (outcome: Attempt['outcome'], failure: UpstreamFailure | null) => void {
  const { progress } = run;
  const begun_ms = deps.clock.monotonic_ms();
  let open = true;
  progress.tries += 1;
  return (outcome, failure) => {
    if (!open) return;
    open = false;
    const counts = outcome === 'error' && (failure?.counts ?? true);
    const size = sizeOfCall(run.call);
    ticket.settle(outcome === 'ok' ? 'ok' : counts ? 'failed' : 'neutral', size);
    const first_ms = progress.served === target.name ? progress.ttft_ms : null;
    const attempt: Attempt = {
      target: target.name,
      outcome,
      error: failure?.code ?? null,
      ttft_ms: first_ms === null ? null : microseconds(first_ms - (begun_ms - progress.started_ms)),
      ms: microseconds(deps.clock.monotonic_ms() - begun_ms),
      ...(outcome === 'ok' || progress.answered === target ? {} : paidFor(target, reported())),
    };
    progress.attempts.push(attempt);
    deps.metrics.add('hive_attempts_total', [target.name, outcome]);
    runAttemptEndHooks(run, attempt);
  };
}

/** What is paid for an answer that nobody gets; what no provider reported is not made up. */
function paidFor({ price }: Target, tokens: Tokens | null): Pick<Attempt, 'tokens' | 'cost_usd'> {
  if (tokens === null) return {};
  return { tokens, cost_usd: price === null ? null : costOf(price, tokens) };
}

const ABSENT = failed('upstream_unreachable', 'The engine of this target is not up.');
