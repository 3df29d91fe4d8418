import type { Snapshot, Target } from '../config/snapshot.ts';
import { toGatewayError } from '../core/errors.ts';
import type { Provider, UpstreamFailure } from '../core/provider.ts';
import { decodeStored, decodeStoredEvent } from '../core/responses-dialect.ts';
import { admit } from './access.ts';
import { type CallDeps, left, refuse } from './conclude.ts';
import type { Place } from './overload.ts';
import { charge } from './own-responses.ts';
import { clientTimeout, headerOf } from './parse.ts';
import { type RelayedCall, relay } from './relay.ts';
import { type Exchange, respondWhole } from './respond.ts';
import { type Keeper, keepersOf } from './stored-keepers.ts';
import { type StoredAsked, storedAsked } from './stored-request.ts';
import { type AttemptResult, startAttempt } from './upstream/attempt.ts';
import { errorOf, failed } from './upstream/failures.ts';

/**
 * What is asked of a response that a provider keeps: passed on to the target that gave it, where
 * that is known, and else to each that may have. It is no call of a model: no plugin sees it,
 * nothing is recorded, and no breaker learns of it. Never rejects.
 */
export async function serveStored(exchange: Exchange, path: string, deps: CallDeps): Promise<void> {
  const lease = deps.current.lease();
  try {
    const { request } = exchange;
    const caller = admit(lease.snapshot.policy.access, (name) => headerOf(request, name));
    const asked = storedAsked(request, path);
    const { snapshot } = lease;
    const keepers = keepersOf(request, asked, { snapshot, caller }, deps.owners);
    const addressed = { exchange, asked, snapshot, tenant: caller.tenant, keepers };
    await inPlace(exchange, snapshot, deps, (place) => pass(addressed, place, deps));
    if (exchange.client.gone) left(exchange, deps);
  } catch (thrown) {
    refuse(exchange, toGatewayError(thrown), deps);
  } finally {
    lease.release();
    deps.onCallOver();
  }
}

/** A request on its way to those who may answer it. */
interface Addressed {
  readonly exchange: Exchange;
  readonly asked: StoredAsked;
  readonly snapshot: Snapshot;
  readonly tenant: string;
  readonly keepers: readonly Keeper[];
}

/** Takes its place among all that the gateway has in hand. */
async function inPlace(
  exchange: Exchange,
  { policy }: Snapshot,
  deps: CallDeps,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  const { overload, timeouts } = policy.resilience;
  const place = await deps.overload.enter(overload, exchange.client, timeouts.total_ms);
  if (place === 'gone') return;
  try {
    await work(place);
  } finally {
    place.leave();
  }
}

async function pass(addressed: Addressed, place: Place, deps: CallDeps): Promise<void> {
  const { exchange, asked, tenant } = addressed;
  const { progress } = exchange;
  const begun_ms = deps.clock.monotonic_ms();
  const heard = await askAround(addressed, deps);
  progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
  if (heard === 'gone') return;
  const { answer, target } = heard;
  if (answer.kind === 'failed') throw errorOf({ ...named(answer.failure), target: target.name });
  progress.served = target.name;
  exchange.upstream = answer.headers;
  if (answer.kind === 'whole') {
    if (!exchange.client.gone) respondWhole(exchange, answer.status, answer.body);
    const { tokens } = answer.facts;
    if (tokens !== null) charge({ id: asked.id, tenant, target, tokens }, deps);
    return;
  }
  place.answering(null);
  // When a response began that was made long ago says nothing of its target.
  progress.ttft_ms = 0;
  const streaming = { ...answer, target, end() {} };
  const { error } = await relay(STORED, exchange, streaming, deps);
  if (error) deps.metrics.add('hive_call_errors_total', [error.code]);
  const { tokens } = progress.facts;
  if (tokens !== null) charge({ id: asked.id, tenant, target, tokens }, deps);
}

interface Heard {
  readonly target: Target;
  readonly answer: AttemptResult;
}

/**
 * Asks one after another until one knows the response. Where none does, it is told what the first
 * said, or who could not say: it may be theirs.
 */
async function askAround(addressed: Addressed, deps: CallDeps): Promise<Heard | 'gone'> {
  const { keepers, asked } = addressed;
  const silent: Heard[] = [];
  const ignorant: Heard[] = [];
  for (const keeper of keepers) {
    const answer = await ask(addressed, keeper, deps);
    if (answer === 'gone') return 'gone';
    const heard = { target: keeper.target, answer };
    if (answer.kind !== 'failed') {
      if (keepers.length > 1) deps.owners.found(asked.id, keeper.target.name);
      return heard;
    }
    (isIgnorant(answer.failure) ? ignorant : silent).push(heard);
  }
  return (silent[0] ?? ignorant[0]) as Heard;
}

/** It does not know this response, or no id that looks so. */
function isIgnorant({ status }: UpstreamFailure): boolean {
  return status === 404 || status === 400;
}

/** It is no call: no plugin has entered it, and none sees its events. */
const STORED: RelayedCall = { endpoint: 'responses', stream_options: undefined, hooks: null };

/** What a status of 404 means where no model was asked for. */
function named(failure: UpstreamFailure): UpstreamFailure {
  return failure.code === 'model_not_found' ? { ...failure, code: 'not_found' } : failure;
}

/** Failures of a connection: nobody has answered, so reading once more does no harm. */
const UNHEARD: ReadonlySet<string> = new Set(['upstream_unreachable', 'upstream_cut']);

/** One try; a second one only of what reads and nothing else, and only where nobody answered. */
async function ask(
  addressed: Addressed,
  keeper: Keeper,
  deps: CallDeps,
): Promise<AttemptResult | 'gone'> {
  const { exchange, asked, snapshot } = addressed;
  const { retry } = snapshot.policy.resilience;
  deps.budget.earn();
  const before = exchange.progress.tries;
  for (;;) {
    const answer = await askOnce(addressed, keeper, deps);
    if (answer === 'gone' || answer.kind !== 'failed') return answer;
    const again = asked.method === 'GET' && UNHEARD.has(answer.failure.code);
    if (!again || exchange.progress.tries - before > Math.min(1, retry.retries)) return answer;
    if (!deps.budget.spend(retry.budget)) return answer;
  }
}

async function askOnce(
  { exchange, asked, snapshot }: Addressed,
  { target, request }: Keeper,
  deps: CallDeps,
): Promise<AttemptResult | 'gone'> {
  const { overload, timeouts } = snapshot.policy.resilience;
  const all_ms = Math.min(
    clientTimeout(exchange.request) ?? timeouts.total_ms,
    target.timeouts.total_ms,
  );
  const elapsed_ms = deps.clock.monotonic_ms() - exchange.progress.started_ms;
  exchange.progress.tries += 1;
  const running = startAttempt(deps.upstream, {
    target: { ...target, provider: readAsKept(target.provider) },
    endpoint: 'responses',
    stream: asked.stream,
    created_s: Math.floor(exchange.at_ms / 1000),
    call_id: exchange.call_id,
    include_usage: false,
    adapter: null,
    request,
    left_ms: Math.max(0, all_ms - elapsed_ms),
    late: LATE,
    hold: () => deps.bytes.open(overload.bytes_max),
  });
  const answer = await running.orGone(exchange.client);
  if (answer === 'gone') running.abort();
  return answer;
}

const LATE = failed('upstream_timeout', 'The request took longer than it may.');

function readAsKept(provider: Provider): Provider {
  return { ...provider, decode: decodeStored, openStream: () => KEPT_STREAM };
}

const KEPT_STREAM = { decode: decodeStoredEvent };
