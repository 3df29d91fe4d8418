import type { Context } from 'hono';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { GatewayError, toGatewayError } from '../core/errors.ts';
import type { GatewayDeps } from './deps.ts';
import { errorHeaders, openAiError } from './error-body.ts';
import { healthyTargets } from './models.ts';
import type { Targets } from './targets/targets.ts';

/**
 * Everything that is not a model route: probes, feedback, and the answer to what does not exist.
 */
export function createSideRoutes(deps: GatewayDeps, targets: Targets): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const began_ms = deps.clock.monotonic_ms();
    await next();
    context.header('x-hive-overhead-ms', (deps.clock.monotonic_ms() - began_ms).toFixed(2));
  });
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/ready', (context) => {
    const report = readiness(deps, targets);
    return context.json(report, report.status === 'ready' ? 200 : 503);
  });
  app.route('/', deps.feedbackRoutes);
  app.notFound((context) => {
    const { method, path } = context.req;
    const allow = METHODS.get(path);
    if (allow !== undefined) {
      const only = `${path} takes ${allow} only.`;
      return respond(context, new GatewayError('method_not_allowed', only, { allow }));
    }
    const message = `There is no ${method} ${path}.${path === '/' ? ` ${WHAT_IS_HERE}` : ''}`;
    return respond(context, new GatewayError('not_found', message, { param: 'path' }));
  });
  app.onError((thrown, context) => {
    const error = toGatewayError(thrown);
    if (error.code === 'internal') deps.log.error('request failed', { error: String(error.cause) });
    return respond(context, error);
  });
  return app;
}

/** For who opens the gateway's address in a browser. */
const WHAT_IS_HERE =
  'Models are called below /v1 and rated at /feedback; the page is on the admin port.';

/** What the routes above take, for who asks them otherwise. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['/health', 'GET, HEAD'],
  ['/ready', 'GET, HEAD'],
  ['/feedback', 'POST'],
  ['/api/v1/feedback/collect', 'POST'],
]);

interface Readiness {
  readonly status: 'ready' | 'unready';
  readonly reason: string | null;
  readonly version: string;
  readonly targets: readonly string[];
  /** The YAML on disk is not the one served; calls go on under the old one. */
  readonly policy_error: string | null;
}

function readiness(deps: GatewayDeps, targets: Targets): Readiness {
  const { snapshot } = deps.current;
  const healthy = [...healthyTargets(snapshot, targets)];
  const reason = !deps.ready()
    ? 'the gateway is starting or stopping'
    : healthy.length === 0
      ? 'no target can answer'
      : null;
  return {
    status: reason === null ? 'ready' : 'unready',
    reason,
    version: snapshot.version,
    targets: healthy,
    policy_error: deps.policyError(),
  };
}

function respond(context: Context, error: GatewayError): Response {
  const status = error.status as ContentfulStatusCode;
  return context.json(openAiError(error), status, errorHeaders(error));
}
