import type { Lease } from '../config/current.ts';
import type { PluginInstance, Snapshot } from '../config/snapshot.ts';
import type { Call, CallResponse } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import { GatewayError, messageOf, toGatewayError } from '../core/errors.ts';
import type { MaybePromise } from '../core/plugin.ts';
import { printable } from '../core/printable.ts';
import { admit, type Caller } from './access.ts';
import type { Account } from './bytes/held-bytes.ts';
import { assignArm } from './canary/assign.ts';
import { watchedArm } from './canary/assignment.ts';
import { type CallDeps, conclude, type Entered, left, refuse } from './conclude.ts';
import { Conversation } from './conversation/conversation.ts';
import { UNRELATED } from './conversation/recent.ts';
import { dispatch } from './dispatch.ts';
import type { ModelRoute } from './endpoints.ts';
import type { InboundRequest } from './front/inbound.ts';
import { type HookRun, runRequestHooks, runResponseHooks } from './hooks/hooks.ts';
import { createScope } from './hooks/scope.ts';
import { identify } from './identify.ts';
import { assignOwn, OWN_CALLER } from './own-calls.ts';
import { ownerOf, tellOwner } from './own-responses.ts';
import { headerOf, parseBody, readBody } from './parse.ts';
import { planFor } from './plan-for.ts';
import type { Ended } from './record.ts';
import { relay } from './relay.ts';
import { type Exchange, respondReply, respondWhole } from './respond.ts';
import { CallSurroundings } from './surroundings.ts';
import type { Dispatched } from './try-target.ts';
import { errorOf } from './upstream/failures.ts';

/**
 * One call, from its first byte to its record. It holds one lease on one snapshot, so it sees
 * exactly one version of the policy; whatever happens, the lease is released and the hooks end
 * once. Never rejects.
 */
export async function serveCall(
  exchange: Exchange,
  route: ModelRoute,
  deps: CallDeps,
): Promise<void> {
  let lease: Lease | null = null;
  let entered: Entered | null = null;
  let ended: Ended;
  const account = deps.bytes.open(deps.current.snapshot.policy.resilience.overload.bytes_max);
  try {
    const { request, call_id: id, request_id, at_ms } = exchange;
    // Before the body: a stranger's is not even read.
    const own = deps.isOwn(request);
    admitCaller(request, deps.current.snapshot, own);
    const receiving = receive(exchange, account, deps);
    const raw = receiving instanceof Promise ? await receiving : receiving;
    const parsed = parseBody(raw, route);
    lease = deps.current.lease();
    const { snapshot } = lease;
    exchange.version = snapshot.version;
    // Again, since this is the version that the call sees: the key may be gone from it.
    const caller = admitCaller(request, snapshot, own);
    const { endpoint } = route;
    const conversation = new Conversation(endpoint, parsed.body);
    const { secret, units } = deps;
    const continued = route.continues ? answeredBy(parsed.body, caller, deps) : null;
    const found = { secret, units, conversation, continued };
    const arrival = { id, request_id, at_ms, endpoint, caller, ...found };
    const call = identify(request, parsed, snapshot, arrival);
    entered = enter({ call, conversation, own }, snapshot, exchange, deps);
    const { run } = entered;
    if (!own) startFeedback(call, exchange, deps);

    const replying = runRequestHooks(run);
    const reply = replying instanceof Promise ? await replying : replying;
    noteAdapter(run);
    if (reply) {
      run.progress.replied = true;
      respondReply(exchange, reply);
      const outcome = reply.status < 400 ? 'ok' : 'rejected';
      ended = { outcome, status: reply.status, error: null, bytes_out: 0 };
    } else {
      const dispatched = await dispatch(run, snapshot, exchange.client, deps);
      const answering = answer(run, exchange, dispatched, deps);
      ended = answering instanceof Promise ? await answering : answering;
    }
  } catch (thrown) {
    ended = refuse(exchange, toGatewayError(thrown), deps);
  }
  const ended_ms = deps.clock.monotonic_ms();
  deps.turn.afterwards(() => {
    conclude(entered, ended, ended_ms, deps);
    lease?.release();
    account.release();
    deps.onCallOver();
  });
}

/** The body; at once where it came with the head. */
function receive(exchange: Exchange, account: Account, deps: CallDeps): MaybePromise<Uint8Array> {
  const { body_bytes_max } = deps.current.snapshot.policy.limits;
  const reading = readBody(exchange.request, body_bytes_max, account, exchange.turn);
  return reading instanceof Promise ? awaited(reading, exchange, deps) : reading;
}

async function awaited(
  reading: Promise<Uint8Array>,
  exchange: Exchange,
  deps: CallDeps,
): Promise<Uint8Array> {
  const begun_ms = deps.clock.monotonic_ms();
  const raw = await exchange.client.unlessGone(reading);
  if (raw === 'gone') throw new GatewayError('client_closed', 'The client left amid its request.');
  exchange.progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
  return raw;
}

/** Who keeps the response that a call goes on from. Throws where it is another tenant's. */
function answeredBy(body: JsonObject, { tenant }: Caller, { owners }: CallDeps): string | null {
  const id = body.previous_response_id;
  if (typeof id !== 'string' || id === '') return null;
  const owner = owners.find(id, tenant);
  if (owner !== 'foreign') return owner === null ? owners.foundAt(id) : owner.served;
  const message = `Previous response with id '${printable(id)}' not found.`;
  throw new GatewayError('bad_request', message, { param: 'previous_response_id' });
}

function admitCaller(request: InboundRequest, { policy }: Snapshot, own: boolean): Caller {
  if (own) return OWN_CALLER;
  return admit(policy.access, (name) => headerOf(request, name));
}

interface Identified {
  readonly call: Call;
  readonly conversation: Conversation;
  /** It is the oracle's. */
  readonly own: boolean;
}

/** Assigns the arm and opens the pipeline that the call goes through. */
function enter(
  { call, conversation, own }: Identified,
  snapshot: Snapshot,
  exchange: Exchange,
  deps: CallDeps,
): Entered {
  const assigned = own ? assignOwn(call, snapshot) : assignArm(call, snapshot, deps.permits);
  const fit = planFor(call, assigned.plan, snapshot);
  const assignment = fit === assigned.plan ? assigned : { ...assigned, plan: fit };
  exchange.assignment = assignment;
  const { bodies } = snapshot.policy.capture;
  const whole_max = bodies && !own ? (deps.capture?.open(call, bodies, exchange.request) ?? 0) : 0;
  exchange.progress.said = deps.signals.open(call, whole_max);
  const { plan, experiment, arm } = assignment;
  const around = new CallSurroundings(call, exchange.request, snapshot, deps.targets);
  const run: HookRun = {
    call,
    plan,
    scope: createScope(call, plan.view, exchange.progress, around),
    progress: exchange.progress,
    deps: deps.hooks(plan, watchedArm(experiment, arm)),
    entered: [],
    bypassed: null,
  };
  const entered: Entered = {
    run,
    assignment,
    related: UNRELATED,
    categories: snapshot.categories,
    origin: own ? 'oracle' : 'client',
    kept: bodies && whole_max > 0 ? bodies : null,
  };
  // Nothing of it is asked before the call's record is made: until then its upstream may work.
  deps.turn.afterwards(() => {
    try {
      entered.related = relate(call, conversation, exchange.request, deps);
    } catch (thrown) {
      deps.log.error('a call is related to none', { call: call.id, error: messageOf(thrown) });
    }
  });
  return entered;
}

function relate(
  call: Call,
  conversation: Conversation,
  request: InboundRequest,
  deps: CallDeps,
): Entered['related'] {
  const retries = Number(headerOf(request, 'x-stainless-retry-count') ?? 0);
  return deps.recent.relate({
    call: call.id,
    unit: call.unit,
    turns: conversation.digests,
    retry_count: Number.isSafeInteger(retries) && retries > 0 ? retries : 0,
    policy_ms: call.at_ms,
  });
}

/** Feedback on an earlier answer may ride on a call; its fsync runs beside the upstream's work. */
function startFeedback(call: Call, exchange: Exchange, deps: CallDeps): void {
  const value = headerOf(exchange.request, 'x-feedback');
  if (value === null) return;
  const { tenant, key, user, session, agent } = call;
  exchange.feedback = deps.feedbackHeader.start(value, { tenant, key, user, session, agent });
}

/**
 * An adapter that the agent has but no plugin asked for is still told of: as not applied, and why.
 */
function noteAdapter({ plan, progress }: HookRun): void {
  const { entry, lora_hotplug } = plan.view;
  if (entry.adapter === 'none') return;
  progress.adapter.requested = progress.patch.adapter ?? entry.adapter;
  if (typeof progress.patch.adapter === 'string') return;
  progress.adapter.reason = lora_hotplug ? 'unknown' : 'switched_off';
}

/** Writes what the upstream came to. */
function answer(
  run: HookRun,
  exchange: Exchange,
  dispatched: Dispatched,
  deps: CallDeps,
): MaybePromise<Ended> {
  if (dispatched.kind === 'aborted') return left(exchange, deps);
  if (dispatched.kind === 'failed') throw errorOf(dispatched.failure, exchange.dialect);
  exchange.upstream = dispatched.headers;
  if (dispatched.kind === 'stream') return answerStream(run, exchange, dispatched, deps);
  const { status, body, target } = dispatched;
  if (run.call.endpoint === 'responses') tellOwner(run, deps.owners);
  const whole = { status, target: target.name, bytes: body };
  if (!run.entered.some(changesAnswers)) return answerWhole(exchange, whole, deps);
  return reduceWhole(run, whole).then((reduced) => answerWhole(exchange, reduced, deps));
}

async function answerStream(
  run: HookRun,
  exchange: Exchange,
  dispatched: Extract<Dispatched, { kind: 'stream' }>,
  deps: CallDeps,
): Promise<Ended> {
  const { endpoint, body } = run.call;
  const { stream_options } = body;
  const relayed = { endpoint, stream_options, hooks: run };
  const relaying = relay(relayed, exchange, dispatched, deps);
  const id = endpoint === 'responses' ? run.progress.facts.completion_id : null;
  if (id !== null) deps.owners.began(id, ownerOf(run));
  const { outcome, error } = await relaying;
  if (id !== null) deps.owners.ended(id);
  if (outcome === 'aborted' && error === null) return left(exchange, deps);
  if (error) deps.metrics.add('hive_call_errors_total', [error.code]);
  return {
    outcome: error ? 'error' : 'ok',
    status: 200,
    error: error?.code ?? null,
    bytes_out: 0,
  };
}

function answerWhole(exchange: Exchange, { status, bytes }: Whole, deps: CallDeps): Ended {
  if (exchange.client.gone) return left(exchange, deps);
  if (bytes.length > LARGE_BYTES) countUntilTaken(exchange, bytes.length, deps);
  respondWhole(exchange, status, bytes);
  return { outcome: 'ok', status, error: null, bytes_out: bytes.length };
}

/** Smaller answers go into the system's own buffers, for the most part. */
const LARGE_BYTES = 256 * 1024;

/** An answer that its client takes slowly is held as long: others are refused meanwhile, not it. */
function countUntilTaken({ response }: Exchange, bytes: number, { bytes: held }: CallDeps): void {
  const account = held.open(Number.POSITIVE_INFINITY);
  account.take(bytes);
  response.on('close', () => account.release());
}

interface Whole {
  readonly status: number;
  readonly target: string;
  readonly bytes: Uint8Array;
}

function changesAnswers({ plugin }: PluginInstance): boolean {
  return plugin.onResponse !== undefined;
}

/** The answer's bytes stay as they came where no plugin changes it. */
async function reduceWhole(run: HookRun, whole: Whole): Promise<Whole> {
  const body = JSON.parse(Buffer.from(whole.bytes).toString('utf8')) as JsonObject;
  const response: CallResponse = { status: whole.status, target: whole.target, body };
  const reduced = await runResponseHooks(run, response);
  if (reduced === response) return whole;
  return { ...whole, status: reduced.status, bytes: Buffer.from(JSON.stringify(reduced.body)) };
}
