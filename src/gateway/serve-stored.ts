import type { Snapshot, Target } from '../config/snapshot.ts';
import { GatewayError, toGatewayError } from '../core/errors.ts';
import type { Provider, UpstreamFailure, UpstreamRequest } from '../core/provider.ts';
import { decodeStored, decodeStoredEvent } from '../core/responses-dialect.ts';
import { admit, type Caller, mayUse } from './access.ts';
import { type CallDeps, left, refuse } from './conclude.ts';
import { agentOf, pinnedTarget } from './identify.ts';
import type { Place } from './overload.ts';
import { clientTimeout, headerOf, relayedHeaders } from './parse.ts';
import { type RelayedCall, relay } from './relay.ts';
import { type Exchange, respondWhole } from './respond.ts';
import { type StoredAsked, storedAsked } from './stored-request.ts';
import { type AttemptResult, startAttempt } from './upstream/attempt.ts';
import { errorOf, failed } from './upstream/failures.ts';

/**
 * What is asked of a response that a provider keeps: passed on to the target that gave it, and to
 * no other. It is no call of a model: no plugin sees it, nothing is recorded, and no breaker learns
 * of it. Never rejects.
 */
export async function serveStored(exchange: Exchange, path: string, deps: CallDeps): Promise<void> {
  const lease = deps.current.lease();
  try {
    const { request } = exchange;
    const caller = admit(lease.snapshot.policy.access, (name) => headerOf(request, name));
    const asked = storedAsked(request, path);
    const addressed = address({ exchange, asked, snapshot: lease.snapshot, caller }, deps);
    await inPlace(exchange, lease.snapshot, deps, (place) => pass(addressed, place, deps));
    if (exchange.client.gone) left(exchange, deps);
  } catch (thrown) {
    refuse(exchange, toGatewayError(thrown), deps);
  } finally {
    lease.release();
    deps.onCallOver();
  }
}

/** A request on its way to the one who can answer it. */
interface Addressed {
  readonly exchange: Exchange;
  readonly asked: StoredAsked;
  readonly snapshot: Snapshot;
  readonly caller: Caller;
  readonly agent: string;
  readonly target: Target;
  readonly request: UpstreamRequest;
}

function address(
  given: Pick<Addressed, 'exchange' | 'asked' | 'snapshot' | 'caller'>,
  deps: CallDeps,
): Addressed {
  const { asked, snapshot, caller } = given;
  const { request } = given.exchange;
  const owner = deps.owners.find(asked.id, caller.tenant);
  if (owner === 'foreign') throw unknownResponse(asked.id);
  if (owner !== null && !mayUse(caller, owner.agent)) throw unknownResponse(asked.id);
  const made = owner !== null && snapshot.agents.has(owner.agent) ? owner.agent : null;
  const agent = made ?? agentOf(request, '', snapshot, caller);
  const pinned = pinnedTarget(request, '', agent, snapshot, caller);
  const target = snapshot.targets.get(pinned ?? owner?.served ?? '') ?? firstOf(agent, snapshot);
  const relayed = relayedHeaders(request);
  const stored = target?.provider.encodeStored?.({ ...asked, relayed });
  if (!target || !stored) {
    const who = target ? `The target ${target.name} keeps` : `No target of agent ${agent} keeps`;
    throw new GatewayError('not_found', `${who} no responses.`, { param: 'response_id' });
  }
  return { ...given, agent, target, request: stored };
}

/** Of a response that nobody remembers: most policies have but one provider that keeps any. */
function firstOf(agent: string, snapshot: Snapshot): Target | undefined {
  const targets = snapshot.agents.get(agent)?.view.targets ?? [];
  return targets
    .map(({ name }) => snapshot.targets.get(name))
    .find((target) => target?.provider.encodeStored !== undefined);
}

/** In the provider's words: whose it is, is nobody else's business. */
function unknownResponse(id: string): GatewayError {
  const message = `Response with id '${id}' not found.`;
  return new GatewayError('not_found', message, { param: 'response_id' });
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
  const { exchange, target } = addressed;
  const { progress } = exchange;
  const begun_ms = deps.clock.monotonic_ms();
  const answer = await ask(addressed, deps);
  progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
  if (answer === 'gone') return;
  if (answer.kind === 'failed') throw errorOf({ ...named(answer.failure), target: target.name });
  progress.served = target.name;
  exchange.upstream = answer.headers;
  if (answer.kind === 'whole') {
    if (!exchange.client.gone) respondWhole(exchange, answer.status, answer.body);
    return;
  }
  place.answering(null);
  // When a response began that was made long ago says nothing of its target.
  progress.ttft_ms = 0;
  const streaming = { ...answer, target, end() {} };
  const { error } = await relay(STORED, exchange, streaming, deps);
  if (error) deps.metrics.add('hive_call_errors_total', [error.code]);
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
async function ask(addressed: Addressed, deps: CallDeps): Promise<AttemptResult | 'gone'> {
  const { exchange, asked, snapshot } = addressed;
  const { retry } = snapshot.policy.resilience;
  deps.budget.earn();
  for (;;) {
    const answer = await askOnce(addressed, deps);
    if (answer === 'gone' || answer.kind !== 'failed') return answer;
    const again = asked.method === 'GET' && UNHEARD.has(answer.failure.code);
    if (!again || exchange.progress.tries > Math.min(1, retry.retries)) return answer;
    if (!deps.budget.spend(retry.budget)) return answer;
  }
}

async function askOnce(addressed: Addressed, deps: CallDeps): Promise<AttemptResult | 'gone'> {
  const { exchange, asked, target, request, snapshot } = addressed;
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
  const answer = await exchange.client.unlessGone(running.result);
  if (answer === 'gone') running.abort();
  return answer;
}

const LATE = failed('upstream_timeout', 'The request took longer than it may.');

function readAsKept(provider: Provider): Provider {
  return { ...provider, decode: decodeStored, openStream: () => KEPT_STREAM };
}

const KEPT_STREAM = { decode: decodeStoredEvent };
