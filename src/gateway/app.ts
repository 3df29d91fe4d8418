import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { GatewayError, messageOf } from '../core/errors.ts';
import { createId, createIdMaker } from '../core/ids.ts';
import type { Metrics } from '../core/metrics.ts';
import type { GatewayReport } from '../core/state.ts';
import { createHeldBytes } from './bytes/held-bytes.ts';
import { watchClient } from './client.ts';
import { inTurn } from './clock/in-turn.ts';
import { TurnEnd } from './clock/turn-end.ts';
import type { CallDeps } from './conclude.ts';
import { createConversationUnits } from './conversation/conversation-units.ts';
import type { GatewayDeps } from './deps.ts';
import { dialectOfRequest, isModelsPath, MODEL_ROUTES } from './endpoints.ts';
import { limitAddresses } from './front/address-limit.ts';
import { createDrain, type StopSpec } from './front/drain.ts';
import type { InboundRequest, OutboundResponse } from './front/inbound.ts';
import { createLane } from './front/lane.ts';
import { LISTENER_LIMITS, type ListenerLimits } from './front/listener-limits.ts';
import { createRequestLineCheck, pathOf } from './front/request-line.ts';
import { createSideRoutes } from './health.ts';
import { createHookDeps } from './hook-deps.ts';
import { createFuses } from './hooks/fuses.ts';
import { createProgress } from './hooks/progress.ts';
import { serveModels } from './models.ts';
import { createOverload } from './overload.ts';
import { createOwnCalls } from './own-calls.ts';
import { clientRequestId } from './parse.ts';
import { type Pressure, watchPressure } from './pressure.ts';
import { createRawRefusals } from './refuse-raw.ts';
import { type Exchange, respondError } from './respond.ts';
import { serveCall } from './serve-call.ts';
import { createSignals } from './signals.ts';
import { createRetryBudget } from './targets/retry-budget.ts';
import { createTargets } from './targets/targets.ts';
import { createUpstream } from './upstream/create-upstream.ts';

export interface Gateway {
  readonly server: Server;
  /** Breakers and calls in hand, by target: for the report to the worker. */
  liveTargets(): GatewayReport['targets'];
  /** What has become of plugins' hooks, by id. */
  livePlugins(): NonNullable<GatewayReport['plugins']>;
  callsOpen(): number;
  /** Lets calls under way end for a while, then breaks them off. */
  close(how?: StopSpec): Promise<void>;
}

/** How often Node looks for connections that are over their time. */
const CHECK_MS = 2000;
const HEADER_BYTES_MAX = 16 * 1024;
/** How the listener ends where nothing else is said. */
const AT_ONCE: StopSpec = { deadline_ms: 10_000, quiet_ms: 0, handed_over: true };

/**
 * The public listener. The model routes are served on the raw server, since a router and web
 * streams cost more than all the rest of a call; everything else goes through Hono.
 */
export function createGateway(given: GatewayDeps): Gateway {
  const { metrics, clock } = given;
  const watched = { metrics, monotonic_ms: () => clock.monotonic_ms() };
  const targets = createTargets(watched);
  const turn = new TurnEnd();
  const calls = countCalls(metrics);
  const upstream = createUpstream(given.log, turn);
  const fuses = createFuses();
  const deps: CallDeps = {
    ...given,
    turn,
    onCallOver: () => calls.end(),
    brokeOff: () => drain.brokeOff(),
    targets,
    upstream,
    budget: createRetryBudget(watched.monotonic_ms),
    escalations: createRetryBudget(watched.monotonic_ms),
    overload: createOverload(watched),
    bytes: createHeldBytes(metrics),
    random: () => given.random(),
    hooks: createHookDeps(given, fuses),
    signals: createSignals(given),
    units: createConversationUnits(given.secret),
    isOwn: createOwnCalls(given.secret),
  };
  const limits = { ...LISTENER_LIMITS, ...given.limits };
  const pressure = watchPressure(given.heapShare);
  const listener = createListener(deps, calls, pressure);
  const server = createServer(serverOptions(limits), inTurn(listener.any));
  server.maxConnections = limits.connections_max;
  const refusals = createRawRefusals(() => clock.wall_ms(), HEADER_BYTES_MAX);
  const lane = createLane(server, {
    serves: (url) => MODEL_ROUTES.has(pathOf(url)),
    serve(request, response) {
      drain.began(response);
      listener.plain(request, response);
    },
    tooSlow: (request) => refusals.late(request),
    notHttp: () => refusals.notHttp(),
    limits,
    head_bytes_max: HEADER_BYTES_MAX,
    check_ms: CHECK_MS,
    monotonic_ms: watched.monotonic_ms,
    wall_ms: () => clock.wall_ms(),
  });
  limitAddresses(server, () => perAddress(given, limits), metrics);
  const drain = createDrain(server, lane, watched.monotonic_ms);
  server.on('clientError', (error, socket) => refusals.onClientError(error, socket));
  server.on('connect', (_request, socket) => refusals.onConnect(socket));
  server.on('checkExpectation', inTurn(refuseExpectation(deps)));

  return {
    server,
    liveTargets() {
      const all = [...given.current.snapshot.targets.values()];
      return Object.fromEntries(all.map((target) => [target.name, targets.state(target)]));
    },
    livePlugins: () => fuses.report(),
    callsOpen: () => calls.open(),
    async close(how = AT_ONCE) {
      await drain.stop(how);
      lane.close();
      pressure.close();
      await upstream.close();
      targets.close();
      fuses.close();
    },
  };
}

interface CallCount {
  open(): number;
  begin(): void;
  end(): void;
}

function countCalls(metrics: Metrics): CallCount {
  let open = 0;
  return {
    open: () => open,
    begin: () => metrics.set('hive_calls_open', ++open),
    end: () => metrics.set('hive_calls_open', --open),
  };
}

interface Listener {
  /** Any request. */
  readonly any: (request: IncomingMessage, response: ServerResponse) => void;
  /** One to a model route, from the lane. */
  readonly plain: (request: InboundRequest, response: OutboundResponse) => void;
}

/** Where a request goes, and what is refused before it goes anywhere. */
function createListener(deps: CallDeps, calls: CallCount, pressure: Pressure): Listener {
  const sideRoutes = getRequestListener(createSideRoutes(deps, deps.targets).fetch, {
    overrideGlobalObjects: false,
  });
  const problemOf = createRequestLineCheck();
  const callId = createIdMaker('call');
  /** What becomes of it where that is clear already; else its exchange. */
  const accept = (request: InboundRequest, response: OutboundResponse): Exchange | null => {
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
    if (route === undefined) return exchange;
    if (request.method !== 'POST') respondError(exchange, onlyMethod('POST', path));
    else if (pressure.high) {
      deps.metrics.add('hive_shed_total', ['memory']);
      respondError(exchange, outOfMemory());
    } else {
      calls.begin();
      void serveCall(exchange, route, deps);
    }
    return null;
  };
  return {
    plain: accept,
    any(request, response) {
      const exchange = accept(request, response);
      if (exchange === null) return;
      const path = pathOf(request.url ?? '');
      if (isModelsPath(path)) return serveModels(exchange, path, deps);
      if (exchange.dialect === 'anthropic') return respondError(exchange, noRoute(request, path));
      response.setHeader('x-request-id', exchange.request_id);
      response.setHeader('x-hive-call-id', exchange.call_id);
      sideRoutes(request, response).catch((thrown: unknown) => {
        deps.log.error('request failed', { error: messageOf(thrown) });
        response.destroy();
      });
    },
  };
}

function refuseExpectation(deps: CallDeps): RequestListener {
  return (request, response) => {
    const path = pathOf(request.url ?? '');
    const exchange = openExchange(request, response, { path, call_id: newId(deps) }, deps);
    respondError(exchange, expectationFailed());
  };
}

/** As the policy has it that is served now. */
function perAddress({ current }: GatewayDeps, { connections_max }: ListenerLimits): number {
  return current.snapshot.policy.limits.connections_per_address ?? connections_max;
}

function serverOptions(limits: ListenerLimits): ServerOptions {
  return {
    headersTimeout: limits.headers_ms,
    requestTimeout: limits.body_ms,
    keepAliveTimeout: limits.keep_alive_ms,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    // A missing Host gets our error body, not Node's bare one.
    requireHostHeader: false,
    noDelay: true,
    // Clients that would rather speak HTTP/2 offer it so, and are served as they are.
    shouldUpgradeCallback: () => false,
  };
}

/** With keys any name will do: only a gateway without them has to fear a foreign page. */
function hostKnown({ current, environment }: GatewayDeps): string | null {
  return current.snapshot.policy.access.mode === 'open' ? environment.host : null;
}

const newId = ({ clock }: GatewayDeps): string => createId('call', clock.wall_ms());

function openExchange(
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

function noRoute({ method }: IncomingMessage, path: string): GatewayError {
  return new GatewayError('not_found', `There is no ${method} ${path}.`, { param: 'path' });
}

function onlyMethod(method: string, path: string): GatewayError {
  const message = `${path} takes ${method} only.`;
  return new GatewayError('method_not_allowed', message, { allow: method });
}

function outOfMemory(): GatewayError {
  const details = { retry_after_s: 1 };
  return new GatewayError('overloaded', 'The gateway is short of memory.', details);
}

function expectationFailed(): GatewayError {
  const details = { status: 417, param: 'expect' };
  return new GatewayError('bad_request', 'Only Expect: 100-continue is understood.', details);
}
