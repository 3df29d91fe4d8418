import type { Context, Hono } from 'hono';
import { GatewayError } from '../core/errors.ts';
import type { AdminEnv } from './admin-env.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  handle(c: Context<AdminEnv>): Promise<Response> | Response;
}

/** Mounts the routes; a path that exists answers another method with 405 and what it allows. */
export function mountRoutes(app: Hono<AdminEnv>, routes: readonly Route[]): void {
  for (const route of routes) app.on(route.method, route.path, (c) => route.handle(c));
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes
      .filter((route) => route.path === path)
      .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    app.all(path, (c) => {
      c.header('allow', allowed.join(', '));
      throw new GatewayError(
        'method_not_allowed',
        `${c.req.method} is not allowed on ${c.req.path}: use ${allowed.join(' or ')}.`,
      );
    });
  }
}
