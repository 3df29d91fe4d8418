import { GatewayError } from '../core/errors.ts';
import { createIdMaker } from '../core/ids.ts';
import type { CallCount } from './call-count.ts';
import { watchClient } from './client.ts';
import type { CallDeps } from './conclude.ts';
import type { GatewayDeps } from './deps.ts';
import { dialectOfRequest, isStoredPath, MODEL_ROUTES } from './endpoints.ts';
import type { InboundRequest, OutboundResponse } from './front/inbound.ts';
import { LISTENER_LIMITS } from './front/listener-limits.ts';
import { createRequestLineCheck, pathOf } from './front/request-line.ts';
import { createProgress } from './hooks/progress.ts';
import { clientRequestId } from './parse.ts';
import { type Exchange, respondError } from './respond.ts';
import { serveCall } from './serve-call.ts';
import { serveStored } from './serve-stored.ts';

/** Whether calls are to be refused since there is no memory for them. */
export interface ShortOfMemory {
  readonly high: boolean;
}

/**
 * Takes a request: serves the call that it is, or answers what is wrong with it. Its exchange where
 * it is neither, but meant for another route.
 */
export type Accept = (request: InboundRequest, response: OutboundResponse) => Exchange | null;

export function createAccept(deps: CallDeps, calls: CallCount, pressure: ShortOfMemory): Accept {
  const problemOf = createRequestLineCheck();
  const callId = createIdMaker('call');
  /** Whether it is taken on; who is not has been told. */
  const hasRoom = (exchange: Exchange): boolean => {
    // With none under way nothing would be gained: what is garbage by then goes as one is served.
    if (pressure.high && calls.open() > 0) {
      deps.metrics.add('hive_shed_total', ['memory']);
      respondError(exchange, outOfMemory());
      return false;
    }
    calls.begin();
    return true;
  };
  return (request, response) => {
    const path = pathOf(request.url ?? '');
    const call_id = callId(deps.clock.wall_ms());
    const exchange = openExchange(request, response, { path, call_id }, deps);
    const problem = problemOf(request, hostKnown(deps));
    if (problem) {
      // Who disagrees with us on what was asked may disagree on where it ends.
      response.shouldKeepAlive = false;
      respondError(exchange, problem);
      return null;
    }
    const route = MODEL_ROUTES.get(path);
    if (route !== undefined) {
      if (request.method !== 'POST') respondError(exchange, onlyMethod('POST', path));
      else if (hasRoom(exchange)) void serveCall(exchange, route, deps);
      return null;
    }
    if (!isStoredPath(path)) return exchange;
    if (hasRoom(exchange)) void serveStored(exchange, path, deps);
    return null;
  };
}

export function openExchange(
  request: InboundRequest,
  response: OutboundResponse,
  { path, call_id }: { readonly path: string; readonly call_id: string },
  deps: CallDeps,
): Exchange {
  return {
    request,
    response,
    client: watchClient(response),
    call_id,
    request_id: clientRequestId(request) ?? call_id,
    dialect: dialectOfRequest(path, request.headers),
    at_ms: deps.clock.policy_ms(),
    progress: createProgress(deps.clock.monotonic_ms()),
    clock: deps.clock,
    turn: deps.turn,
    stall_ms: deps.limits?.stall_ms ?? LISTENER_LIMITS.stall_ms,
    version: deps.current.snapshot.version,
    assignment: null,
    feedback: null,
    upstream: {},
  };
}

/** With keys any name will do: only a gateway without them has to fear a foreign page. */
function hostKnown({ current, environment }: GatewayDeps): string | null {
  return current.snapshot.policy.access.mode === 'open' ? environment.host : null;
}

function onlyMethod(method: string, path: string): GatewayError {
  const message = `${path} takes ${method} only.`;
  return new GatewayError('method_not_allowed', message, { allow: method });
}

function outOfMemory(): GatewayError {
  const details = { retry_after_s: 1 };
  return new GatewayError('overloaded', 'The gateway is short of memory.', details);
}
