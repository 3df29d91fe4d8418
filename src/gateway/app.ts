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
import { createId } from '../core/ids.ts';
import type { GatewayReport } from '../core/state.ts';
import { type Accept, createAccept, openExchange } from './accept.ts';
import { countCalls } from './call-count.ts';
import { createCallDeps } from './call-deps.ts';
import { inTurn } from './clock/in-turn.ts';
import { TurnEnd } from './clock/turn-end.ts';
import type { CallDeps } from './conclude.ts';
import type { GatewayDeps } from './deps.ts';
import { isModelsPath, MODEL_ROUTES } from './endpoints.ts';
import { limitAddresses } from './front/address-limit.ts';
import { createDrain, type StopSpec } from './front/drain.ts';
import type { InboundRequest, OutboundResponse } from './front/inbound.ts';
import { createLane } from './front/lane.ts';
import { LISTENER_LIMITS, type ListenerLimits } from './front/listener-limits.ts';
import { pathOf } from './front/request-line.ts';
import { createSideRoutes } from './health.ts';
import { createFuses } from './hooks/fuses.ts';
import { serveModels } from './models.ts';
import { watchPressure } from './pressure.ts';
import { createRawRefusals } from './refuse-raw.ts';
import { createRehearsals } from './rehearsal/rehearsals.ts';
import { respondError } from './respond.ts';
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
/**
 * What may wait in a request or an answer before its other end is slowed down. A read that is put
 * off holds up to so many chunks of a body, each an object of its own.
 */
const WATER_MARK = 16 * 1024;
/** How the listener ends where nothing else is said. */
const AT_ONCE: StopSpec = { deadline_ms: 10_000, quiet_ms: 0, handed_over: true };

/**
 * The public listener. The model routes are served on the raw server, since a router and web
 * streams cost more than all the rest of a call; everything else goes through Hono.
 */
export function createGateway(given: GatewayDeps): Gateway {
  const { metrics, clock } = given;
  const monotonic_ms = (): number => clock.monotonic_ms();
  const turn = new TurnEnd();
  const calls = countCalls(metrics);
  const upstream = createUpstream(given.log, turn);
  const fuses = createFuses();
  const deps = createCallDeps(given, {
    turn,
    upstream,
    fuses,
    onCallOver: () => calls.end(),
    brokeOff: () => drain.brokeOff(),
  });
  const { targets } = deps;
  const limits = { ...LISTENER_LIMITS, ...given.limits };
  const pressure = watchPressure(given.memoryShare);
  const rehearsals = createRehearsals(deps, pressure);
  const listener = createListener(deps, rehearsals.before(createAccept(deps, calls, pressure)));
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
    monotonic_ms,
    wall_ms: () => clock.wall_ms(),
  });
  limitAddresses(server, () => perAddress(given, limits), metrics);
  const drain = createDrain(server, lane, monotonic_ms);
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
      rehearsals.close();
      pressure.close();
      await upstream.close();
      targets.close();
      fuses.close();
    },
  };
}

interface Listener {
  /** Any request. */
  readonly any: (request: IncomingMessage, response: ServerResponse) => void;
  /** One to a model route, from the lane. */
  readonly plain: (request: InboundRequest, response: OutboundResponse) => void;
}

/** The rest of what is asked at all goes to other routes. */
function createListener(deps: CallDeps, accept: Accept): Listener {
  const sideRoutes = getRequestListener(createSideRoutes(deps, deps.targets).fetch, {
    overrideGlobalObjects: false,
  });
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
    highWaterMark: WATER_MARK,
    // Clients that would rather speak HTTP/2 offer it so, and are served as they are.
    shouldUpgradeCallback: () => false,
  };
}

const newId = ({ clock }: GatewayDeps): string => createId('call', clock.wall_ms());

function noRoute({ method }: IncomingMessage, path: string): GatewayError {
  return new GatewayError('not_found', `There is no ${method} ${path}.`, { param: 'path' });
}

function expectationFailed(): GatewayError {
  const details = { status: 417, param: 'expect' };
  return new GatewayError('bad_request', 'Only Expect: 100-continue is understood.', details);
}
