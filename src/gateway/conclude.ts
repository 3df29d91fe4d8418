import type { Snapshot } from '../config/snapshot.ts';
import { type GatewayError, messageOf } from '../core/errors.ts';
import type { Origin } from '../core/event.ts';
import type { CapturedBodies } from '../core/prompt/proposal-policy.ts';
import type { Assignment } from './canary/assign.ts';
import type { TurnEnd } from './clock/turn-end.ts';
import type { ConversationUnits } from './conversation/conversation-units.ts';
import type { Related } from './conversation/recent.ts';
import type { ResponseOwners } from './conversation/response-owners.ts';
import { countGiven } from './count-cost.ts';
import type { GatewayDeps } from './deps.ts';
import type { HookDepsOf } from './hook-deps.ts';
import { type HookRun, runEndHooks } from './hooks/hooks.ts';
import { tokensOf } from './hooks/progress.ts';
import type { OwnCalls } from './own-calls.ts';
import { callEvent, countCall, type Ended, outcomeOf } from './record.ts';
import { type Exchange, respondError, respondStopped } from './respond.ts';
import type { Signals } from './signals.ts';
import type { DispatchDeps } from './try-target.ts';

export interface CallDeps extends GatewayDeps, DispatchDeps {
  readonly hooks: HookDepsOf;
  readonly turn: TurnEnd;
  /** A call is over, its record included. */
  onCallOver(): void;
  /** Whether clients leave because we stop. */
  brokeOff(): boolean;
  readonly signals: Signals;
  readonly units: ConversationUnits;
  readonly isOwn: OwnCalls;
  readonly owners: ResponseOwners;
}

/** A call that has come as far as the pipeline. */
export interface Entered {
  readonly run: HookRun;
  readonly assignment: Assignment;
  /** What it repeats or goes on with: found out when its request has been sent on. */
  related: Related;
  readonly categories: Snapshot['categories'];
  readonly origin: Origin;
  /** How the call is kept as a sample, or null. */
  readonly kept: CapturedBodies | null;
}

/** What a call came to whose client has left. */
const GONE: Ended = {
  outcome: 'aborted',
  status: 499,
  error: 'client_closed',
  bytes_out: 0,
};
/** What a call came to that our own stop broke off: neither its user's doing nor its target's. */
const BROKEN_OFF: Ended = {
  outcome: 'rejected',
  status: 503,
  error: 'not_ready',
  bytes_out: 0,
};
/**
 * Codes of calls that the gateway would not take before it asked anybody: no failure of a target or
 * an arm. Who was sent away for want of room says nothing of what would have answered; an arm that
 * loses more calls that way than another has fewer units, which its split shows.
 */
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
  'overloaded',
]);

/** Its client is not there any more: has left, or is left by our own stop and told so. */
export function left(exchange: Exchange, deps: Pick<CallDeps, 'brokeOff'>): Ended {
  if (deps.brokeOff()) respondStopped(exchange);
  return GONE;
}

/** The one place where a call's error is answered, counted and, if it is our own, logged. */
export function refuse(exchange: Exchange, error: GatewayError, deps: CallDeps): Ended {
  if (exchange.client.gone || error.code === 'client_closed') return left(exchange, deps);
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
export function conclude(
  entered: Entered | null,
  ended: Ended,
  at_ms: number,
  deps: CallDeps,
): void {
  if (entered === null) return;
  const { run, assignment, related, categories, origin, kept } = entered;
  const { call, progress } = run;
  const { said, replied } = progress;
  const { relation } = related;
  try {
    const brokenOff = ended.outcome === 'aborted' && deps.brokeOff();
    const outcome = outcomeOf(call, progress, brokenOff ? BROKEN_OFF : ended, at_ms);
    runEndHooks(run, outcome);
    const { outcome: came_to, finish } = outcome;
    const seen = { call, relation, origin, outcome: came_to, finish, replied, said, categories };
    const learned = deps.signals.observe(seen);
    const event = callEvent(call, assignment, progress, outcome, related, learned, origin);
    deps.bus.publish(event);
    if (origin !== 'client') {
      deps.metrics.add('hive_own_calls_total', [call.agent, outcome.outcome]);
      return;
    }
    deps.recent.remember(event, related.place);
    if (kept && !replied && outcome.outcome === 'ok') {
      deps.capture?.take({ call, said, served: outcome.served }, kept);
    }
    if (event.arm !== null && event.arm !== 'control') deps.permits.observeCall(event);
    countCall(call, progress, outcome, deps.metrics);
    const given = tokensOf(progress, call.raw.length, ended.bytes_out);
    countGiven(progress, given, outcome.outcome, deps);
  } catch (thrown) {
    deps.log.error('a call was not recorded', { call: call.id, error: messageOf(thrown) });
  }
}
