import type { IncomingMessage } from 'node:http';
import type { Lease } from '../config/current.ts';
import type { PluginInstance, Snapshot } from '../config/snapshot.ts';
import type { Call, CallResponse } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import { type GatewayError, messageOf, toGatewayError } from '../core/errors.ts';
import type { Relation } from '../core/event.ts';
import type { MaybePromise } from '../core/plugin.ts';
import { admit, type Caller } from './access.ts';
import { type Assignment, assignArm } from './assign.ts';
import { turnDigests } from './conversation.ts';
import { countGiven } from './count-cost.ts';
import type { GatewayDeps } from './deps.ts';
import { dispatch } from './dispatch.ts';
import type { ModelRoute } from './endpoints.ts';
import { errorOf } from './failures.ts';
import type { Account } from './held-bytes.ts';
import type { HookDepsOf } from './hook-deps.ts';
import { type HookRun, runEndHooks, runRequestHooks, runResponseHooks } from './hooks.ts';
import { identify } from './identify.ts';
import { headerOf, parseBody, readBody } from './parse.ts';
import { planFor } from './plan-for.ts';
import { callEvent, type Ended, outcomeOf } from './record.ts';
import { relay } from './relay.ts';
import { type Exchange, respondError, respondReply, respondWhole } from './respond.ts';
import { createScope } from './scope.ts';
import type { Signals } from './signals.ts';
import { CallSurroundings } from './surroundings.ts';
import type { DispatchDeps, Dispatched } from './try-target.ts';
import type { TurnEnd } from './turn-end.ts';

export interface CallDeps extends GatewayDeps, DispatchDeps {
  readonly hooks: HookDepsOf;
  readonly turn: TurnEnd;
  /** A call is over, its record included. */
  onCallOver(): void;
  readonly signals: Signals;
}

/** A call that has come as far as the pipeline. */
interface Entered {
  readonly run: HookRun;
  readonly assignment: Assignment;
  readonly related: { readonly parent: string | null; readonly relation: Relation | null };
  readonly categories: Snapshot['categories'];
}

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
    admitCaller(request, deps.current.snapshot);
    const parsed = parseBody(await receive(exchange, account, deps), route);
    lease = deps.current.lease();
    const { snapshot } = lease;
    exchange.version = snapshot.version;
    // Again, since this is the version that the call sees: the key may be gone from it.
    const caller = admitCaller(request, snapshot);
    const { endpoint } = route;
    const arrival = { id, request_id, at_ms, endpoint, caller, secret: deps.secret };
    const call = identify(request, parsed, snapshot, arrival);
    entered = enter(call, snapshot, exchange, deps);
    const { run } = entered;
    startFeedback(call, exchange, deps);

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
    conclude(entered, { ...ended, at_ms: ended_ms }, deps);
    lease?.release();
    account.release();
    deps.onCallOver();
  });
}

async function receive(exchange: Exchange, account: Account, deps: CallDeps): Promise<Uint8Array> {
  const begun_ms = deps.clock.monotonic_ms();
  const { body_bytes_max } = deps.current.snapshot.policy.limits;
  const raw = await readBody(exchange.request, body_bytes_max, account);
  exchange.progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
  return raw;
}

function admitCaller(request: IncomingMessage, { policy }: Snapshot): Caller {
  return admit(policy.access, (name) => headerOf(request, name));
}

/** Assigns the arm and opens the pipeline that the call goes through. */
function enter(call: Call, snapshot: Snapshot, exchange: Exchange, deps: CallDeps): Entered {
  const assigned = assignArm(call, snapshot, deps.permits);
  const fit = planFor(call, assigned.plan, snapshot);
  const assignment = fit === assigned.plan ? assigned : { ...assigned, plan: fit };
  exchange.assignment = assignment;
  exchange.progress.said = deps.signals.open(call);
  const { plan, experiment, arm } = assignment;
  const around = new CallSurroundings(call, exchange.request, snapshot, deps.targets);
  const run: HookRun = {
    call,
    plan,
    scope: createScope(call, plan.view, exchange.progress, around),
    progress: exchange.progress,
    deps: deps.hooks(plan, arm === 'canary' ? experiment : null),
    entered: [],
    bypassed: null,
  };
  const retries = Number(headerOf(exchange.request, 'x-stainless-retry-count') ?? 0);
  const related = deps.recent.relate({
    call: call.id,
    unit: call.unit,
    turns: turnDigests(call.endpoint, call.body),
    retry_count: Number.isSafeInteger(retries) && retries > 0 ? retries : 0,
    policy_ms: call.at_ms,
  });
  return { run, assignment, related, categories: snapshot.categories };
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
  if (dispatched.kind === 'aborted') return GONE;
  if (dispatched.kind === 'failed') throw errorOf(dispatched.failure, exchange.dialect);
  exchange.upstream = dispatched.headers;
  if (dispatched.kind === 'stream') return answerStream(run, exchange, dispatched, deps);
  const { status, body, target } = dispatched;
  const whole = { status, target: target.name, bytes: body };
  if (!run.entered.some(changesAnswers)) return answerWhole(exchange, whole);
  return reduceWhole(run, whole).then((reduced) => answerWhole(exchange, reduced));
}

async function answerStream(
  run: HookRun,
  exchange: Exchange,
  dispatched: Extract<Dispatched, { kind: 'stream' }>,
  deps: CallDeps,
): Promise<Ended> {
  const { outcome, error } = await relay(run, exchange, dispatched, deps.metrics);
  if (outcome === 'aborted' && error === null) return GONE;
  if (error) deps.metrics.add('hive_call_errors_total', [error.code]);
  return {
    outcome: error ? 'error' : 'ok',
    status: 200,
    error: error?.code ?? null,
    bytes_out: 0,
  };
}

function answerWhole(exchange: Exchange, { status, bytes }: Whole): Ended {
  if (exchange.client.gone) return GONE;
  respondWhole(exchange, status, bytes);
  return { outcome: 'ok', status, error: null, bytes_out: bytes.length };
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

const GONE: Ended = { outcome: 'aborted', status: 499, error: 'client_closed', bytes_out: 0 };
/** Codes of calls that the gateway would not take: nobody's failure but the client's. */
const REFUSALS: ReadonlySet<string> = new Set([
  'bad_request',
  'invalid_json',
  'unauthorized',
  'forbidden',
  'unknown_agent',
  'model_not_found',
  'not_found',
  'body_too_large',
  'unsupported_media_type',
]);

/** The one place where a call's error is answered, counted and, if it is our own, logged. */
function refuse(exchange: Exchange, error: GatewayError, deps: CallDeps): Ended {
  if (exchange.client.gone || error.code === 'client_closed') return GONE;
  deps.metrics.add('hive_call_errors_total', [error.code]);
  if (error.code === 'internal') {
    const cause = messageOf(error.cause);
    deps.log.error('call failed', { call: exchange.call_id, error: cause });
  }
  respondError(exchange, error);
  const refused = REFUSALS.has(error.code) && exchange.progress.tries === 0;
  const outcome = refused ? 'rejected' : 'error';
  return { outcome, status: error.status, error: error.code, bytes_out: 0 };
}

/** Hooks end, the record goes out. Nothing here may fail a call that has been answered. */
function conclude(
  entered: Entered | null,
  ended: Ended & { readonly at_ms: number },
  deps: CallDeps,
): void {
  if (entered === null) return;
  const { run, assignment, related, categories } = entered;
  const { call, progress } = run;
  const { said, replied } = progress;
  const { relation } = related;
  try {
    const outcome = outcomeOf(call, progress, ended, ended.at_ms);
    runEndHooks(run, outcome);
    const seen = { call, relation, origin: 'client', replied, said, categories } as const;
    const learned = deps.signals.observe({ ...outcome, ...seen });
    const event = callEvent(call, assignment, progress, outcome, related, learned);
    deps.bus.publish(event);
    deps.recent.remember(event);
    if (event.arm === 'canary') deps.permits.observeCall(event);
    deps.metrics.add('hive_calls_total', [call.agent, outcome.outcome]);
    deps.metrics.observe('hive_call_seconds', outcome.latency_ms / 1000, [call.agent]);
    const own_ms = Math.max(0, outcome.latency_ms - progress.waited_ms);
    if (!call.stream) deps.metrics.observe('hive_overhead_seconds', own_ms / 1000);
    deps.metrics.add('hive_tokens_total', [call.agent, 'in'], outcome.tokens.in);
    deps.metrics.add('hive_tokens_total', [call.agent, 'out'], outcome.tokens.out);
    countGiven(progress, outcome, deps);
  } catch (thrown) {
    deps.log.error('a call was not recorded', { call: call.id, error: messageOf(thrown) });
  }
}
