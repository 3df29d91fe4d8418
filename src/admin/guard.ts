import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { GatewayError } from '../core/errors.ts';
import { uuidv7 } from '../core/ids.ts';
import type { AdminEnv } from './admin-env.ts';

/**
 * Who may speak to the admin API (threats T10, T11). It has no credentials yet, so it listens on
 * loopback only, and a web page that the operator happens to have open must not reach it: a name
 * that was rebound to 127.0.0.1 is stopped by `Host`, a page of another origin by `Origin` and
 * `Sec-Fetch-Site`.
 */
const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const HOST_FORM = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/;
const REQUEST_ID_FORM = /^[\w.:-]{1,128}$/;
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/** Throws where another machine could reach the admin API, which asks for no credential. */
export function requireLoopback(host: string): void {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return;
  if (isIP(bare) === 4 && bare.startsWith('127.')) return;
  throw new GatewayError(
    'bad_request',
    `the admin API has no credentials yet, so it may not listen on ${host}: ` +
      'use 127.0.0.1 (HIVE_HOST or --host) and an SSH tunnel or a proxy that authenticates',
    { param: 'HIVE_HOST' },
  );
}

/** Identity and safety headers of every answer, whatever becomes of it. */
export function stampAnswers(wall_ms: () => number): MiddlewareHandler<AdminEnv> {
  return async function stamp(c, next) {
    const asked = c.req.header('x-request-id') ?? '';
    const id = REQUEST_ID_FORM.test(asked) ? asked : `req_${uuidv7(wall_ms())}`;
    c.set('request_id', id);
    c.header('x-request-id', id);
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    c.header('x-frame-options', 'DENY');
    c.header('referrer-policy', 'no-referrer');
    await next();
  };
}

/** Lets only our own names, and no page of another origin, through to the routes. */
export function guardRequests(configured: string): MiddlewareHandler<AdminEnv> {
  const allowed = new Set([...LOOPBACK_NAMES, bracketed(configured.toLowerCase())]);
  return async function guard(c, next) {
    const target = c.env?.incoming?.url;
    const host = (c.req.header('host') ?? '').toLowerCase();
    const name = HOST_FORM.exec(host)?.[1];
    // An absolute request target brings a host of its own, which would go around the check.
    const rebuilt = target !== undefined && !target.startsWith('/');
    if (rebuilt || name === undefined || !allowed.has(name)) {
      throw new GatewayError(
        'invalid_host',
        `The host ${JSON.stringify(host)} is not served here: use ${[...allowed].join(', ')}.`,
        { param: 'host' },
      );
    }
    if (!SAFE_METHODS.includes(c.req.method)) {
      requireSameOrigin(host, c.req.header('origin'), c.req.header('sec-fetch-site'));
    }
    await next();
  };
}

function requireSameOrigin(
  host: string,
  origin: string | undefined,
  site: string | undefined,
): void {
  const own = [`http://${host}`, `https://${host}`];
  if (origin !== undefined && !own.includes(origin.toLowerCase())) {
    throw new GatewayError(
      'forbidden',
      `A page of origin ${origin} may not change anything here.`,
      {
        param: 'origin',
      },
    );
  }
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new GatewayError('forbidden', `A ${site} page may not change anything here.`, {
      param: 'sec-fetch-site',
    });
  }
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
