import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { GatewayError } from '../core/errors.ts';
import type { AdminDeps } from './admin-deps.ts';
import type { AdminEnv } from './admin-env.ts';
import { answerError, errorBody } from './answer-error.ts';
import { experimentRoutes } from './experiment-routes.ts';
import { guardRequests, requireLoopback, stampAnswers } from './guard.ts';
import { METRICS_CONTENT_TYPE, metricsText } from './metrics-text.ts';
import { oracleRoutes } from './oracle-routes.ts';
import { PAGE_POLICY, renderPage } from './page.ts';
import { promptRoutes } from './prompt-routes.ts';
import { proposalRoutes } from './proposal-routes.ts';
import { mountRoutes, type Route } from './route.ts';
import { checkReady, collectStatus } from './status.ts';

export interface Admin {
  readonly app: Hono<AdminEnv>;
  /** Rejects with one clear line where the port is taken. */
  listen(): Promise<{ readonly port: number }>;
  /** Ends idle connections at once and the rest when they are answered. */
  close(): Promise<void>;
}

/** The app on :8092: the oracle's API, `/health`, `/ready`, `/status`, `/metrics` and a page. */
export function createAdmin(deps: AdminDeps): Admin {
  requireLoopback(deps.host);
  const app = new Hono<AdminEnv>();
  const routes = [
    ...oracleRoutes(deps),
    ...promptRoutes(deps.prompts),
    ...experimentRoutes(deps.experiments),
    ...proposalRoutes(deps.proposals ?? null),
    ...stateRoutes(deps),
  ];
  app.use(stampAnswers(() => deps.clock.wall_ms()));
  app.use(guardRequests(deps.host));
  app.use(async function logChanges(c, next) {
    await next();
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return;
    const { method, path } = c.req;
    deps.log.info('admin', { method, path, status: c.res.status, request_id: c.get('request_id') });
  });
  mountRoutes(app, [...routes, pageRoute(deps, routes)]);
  app.notFound((c) => {
    throw new GatewayError('not_found', `There is no ${c.req.path} here; GET / lists what is.`);
  });
  app.onError((thrown, c) => answerError(c, thrown, deps.log));
  const server = createListener(app);
  return {
    app,
    listen: () => listenOn(server, deps.host, deps.port),
    close: () => closeServer(server),
  };
}

function stateRoutes(deps: AdminDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/health',
      summary: 'the worker lives',
      handle: (c) => c.json({ status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/ready',
      summary: 'the store answers and the gateway has been heard of; else 503',
      async handle(c) {
        const readiness = await checkReady(deps);
        return c.json(readiness, readiness.ready ? 200 : 503);
      },
    },
    {
      method: 'GET',
      path: '/status',
      summary: 'all of the state as JSON',
      handle: async (c) => c.json(await collectStatus(deps)),
    },
    {
      method: 'GET',
      path: '/api/v1/router',
      summary: 'what the routers that learn believe, with 95 % intervals, and their whole models',
      handle: (c) => c.json({ routers: deps.routers?.() ?? [] }),
    },
    {
      method: 'GET',
      path: '/metrics',
      summary: 'Prometheus metrics of the gateway and the worker',
      handle(c) {
        const report = deps.report();
        const snapshots = [deps.metrics.snapshot(), ...(report ? [report.metrics] : [])];
        return c.body(metricsText(snapshots), 200, { 'content-type': METRICS_CONTENT_TYPE });
      },
    },
  ];
}

function pageRoute(deps: AdminDeps, routes: readonly Route[]): Route {
  return {
    method: 'GET',
    path: '/',
    summary: 'this page',
    async handle(c) {
      c.header('content-security-policy', PAGE_POLICY);
      const own_url = `http://${c.req.header('host')}`;
      return c.html(renderPage(await collectStatus(deps), routes, own_url));
    },
  };
}

function createListener(app: Hono<AdminEnv>): Server {
  // A request that the adapter itself refuses never reaches the app, and still gets our shape.
  const errorHandler = (): Response => {
    const error = new GatewayError('bad_request', 'The request line or its host is malformed.');
    return Response.json(errorBody(error), { status: error.status });
  };
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler });
  return createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
}

function listenOn(server: Server, host: string, port: number): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', (thrown: NodeJS.ErrnoException) =>
      reject(listenError(thrown, host, port)),
    );
    server.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port }, () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address ? address.port : port });
    });
  });
}

function listenError(thrown: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  const reason =
    thrown.code === 'EADDRINUSE'
      ? 'the port is in use'
      : thrown.code === 'EACCES'
        ? 'this user may not use the port'
        : thrown.message;
  return new GatewayError(
    'bad_request',
    `the admin API cannot listen on ${host}:${port}: ${reason}; ` +
      'end the other process, or choose another with HIVE_ADMIN_PORT or --admin-port',
    { param: 'HIVE_ADMIN_PORT' },
    thrown,
  );
}

function closeServer(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
