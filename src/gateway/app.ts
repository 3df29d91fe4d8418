import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { LRUCache } from 'lru-cache';
import { GatewayError, messageOf, toGatewayError } from '../core/errors.ts';
import { createId } from '../core/ids.ts';
import type { GatewayReport } from '../core/state.ts';
import { type ChatDeps, serveChat } from './chat.ts';
import { watchClient } from './client.ts';
import type { GatewayDeps } from './deps.ts';
import { errorBody } from './error-body.ts';
import { createFuse, type Fuse } from './fuse.ts';
import { createSideRoutes } from './health.ts';
import { findModel, listModels } from './models.ts';
import { clientRequestId } from './parse.ts';
import { createProgress } from './progress.ts';
import { pathOf, requestLineProblem } from './request-line.ts';
import { type Exchange, respondError, respondWhole } from './respond.ts';
import { createTargets } from './targets.ts';
import { createUpstream } from './upstream.ts';

export interface Gateway {
  readonly server: Server;
  /** Breakers and calls in hand, by target: for the report to the worker. */
  liveTargets(): GatewayReport['targets'];
  callsOpen(): number;
  /** Takes no new calls, lets those under way end for a while, then breaks them off. */
  close(): Promise<void>;
}

const CHAT_PATH = '/v1/chat/completions';
const MODELS_PATH = '/v1/models';
const HEADERS_MS = 10_000;
/** From a request's first byte to its body's last. */
const BODY_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
/** How often Node looks for connections that are over their time. */
const CHECK_MS = 2000;
const HEADER_BYTES_MAX = 16 * 1024;
const DRAIN_MS = 10_000;
/** Fuses kept: one a plugin, agent and canary. */
const FUSES_MAX = 4096;

/**
 * The public listener. The model routes are served on the raw server, since a router and web
 * streams cost more than all the rest of a call; everything else goes through Hono.
 */
export function createGateway(given: GatewayDeps): Gateway {
  const targets = createTargets(given.metrics);
  const upstream = createUpstream();
  const fuses = new LRUCache<string, Fuse>({ max: FUSES_MAX, dispose: (fuse) => fuse.close() });
  const deps: ChatDeps = {
    ...given,
    targets,
    upstream,
    random: () => given.random(),
    fuse: (agent, experiment, plugin) => fuseOf(fuses, `${agent} ${experiment ?? ''} ${plugin}`),
  };
  const sideRoutes = getRequestListener(createSideRoutes(given, targets).fetch, {
    overrideGlobalObjects: false,
  });
  let open = 0;

  const listener: RequestListener = (request, response) => {
    const exchange = openExchange(request, response, given);
    const problem = requestLineProblem(request, given.environment.host);
    if (problem) return respondError(exchange, problem);
    const path = pathOf(request.url ?? '');
    if (path === CHAT_PATH) {
      if (request.method !== 'POST') return respondError(exchange, onlyMethod('POST', path));
      given.metrics.set('hive_calls_open', ++open);
      void serveChat(exchange, deps).finally(() => given.metrics.set('hive_calls_open', --open));
      return;
    }
    if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
      return serveModels(exchange, path, deps);
    }
    response.setHeader('x-request-id', exchange.request_id);
    response.setHeader('x-hive-call-id', exchange.call_id);
    sideRoutes(request, response).catch((thrown: unknown) => {
      given.log.error('request failed', { error: messageOf(thrown) });
      response.destroy();
    });
  };

  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: BODY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      // A missing Host gets our error body, not Node's bare one.
      requireHostHeader: false,
      noDelay: true,
    },
    listener,
  );
  server.on('clientError', (error, socket) => refuseRaw(error, socket, given));
  // Nothing here speaks anything but HTTP.
  server.on('upgrade', (_request, socket) => socket.destroy());

  return {
    server,
    liveTargets() {
      const all = [...given.current.snapshot.targets.values()];
      return Object.fromEntries(all.map((target) => [target.name, targets.state(target)]));
    },
    callsOpen: () => open,
    async close() {
      await closeServer(server);
      await upstream.close();
      targets.close();
      fuses.clear();
    },
  };
}

function fuseOf(fuses: LRUCache<string, Fuse>, key: string): Fuse {
  const known = fuses.get(key);
  if (known) return known;
  const made = createFuse();
  fuses.set(key, made);
  return made;
}

function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  deps: GatewayDeps,
): Exchange {
  const call_id = createId('call', deps.clock.wall_ms());
  return {
    request,
    response,
    client: watchClient(response),
    call_id,
    request_id: clientRequestId(request) ?? call_id,
    at_ms: deps.clock.policy_ms(),
    progress: createProgress(deps.clock.monotonic_ms()),
    monotonic_ms: () => deps.clock.monotonic_ms(),
    version: deps.current.snapshot.version,
    assignment: null,
    feedback: null,
    upstream: {},
  };
}

function serveModels(exchange: Exchange, path: string, deps: ChatDeps): void {
  try {
    if (exchange.request.method !== 'GET') throw onlyMethod('GET', path);
    const { snapshot } = deps.current;
    const created_s = Math.floor(deps.clock.origin.origin_ms / 1000);
    const id = decodeURIComponent(path.slice(MODELS_PATH.length + 1));
    const body =
      id === ''
        ? listModels(snapshot, deps.targets, created_s)
        : findModel(id, snapshot, deps.targets, created_s);
    respondWhole(exchange, 200, Buffer.from(JSON.stringify(body)));
  } catch (thrown) {
    const malformed = thrown instanceof URIError;
    const error = malformed
      ? new GatewayError('bad_request', 'The request path is malformed.')
      : thrown;
    respondError(exchange, toGatewayError(error));
  }
}

function onlyMethod(method: string, path: string): GatewayError {
  return new GatewayError('method_not_allowed', `${path} takes ${method} only.`);
}

/** What Node could not parse, or was too slow to come: no request exists, so the answer is raw. */
function refuseRaw(error: Error & { code?: string }, socket: Duplex, deps: GatewayDeps): void {
  // Amid an answer that is on its way there is no place for another.
  const { _httpMessage: current } = socket as { _httpMessage?: ServerResponse | null };
  if (error.code === 'ECONNRESET' || !socket.writable || current?.headersSent) {
    socket.destroy();
    return;
  }
  const [status, refusal] = rawRefusal(error.code);
  const body = JSON.stringify(errorBody(refusal));
  const id = createId('call', deps.clock.wall_ms());
  const head = [
    `HTTP/1.1 ${status}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    `x-hive-call-id: ${id}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function rawRefusal(code: string | undefined): [string, GatewayError] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const message = 'The request took too long to arrive.';
    return ['408 Request Timeout', new GatewayError('request_timeout', message)];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `The request's headers are larger than ${HEADER_BYTES_MAX} bytes.`;
    return ['431 Request Header Fields Too Large', new GatewayError('bad_request', message)];
  }
  return ['400 Bad Request', new GatewayError('bad_request', 'This is not HTTP.')];
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}
