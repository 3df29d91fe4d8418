import type { HttpBindings } from '@hono/node-server';

/** What Hono carries for us: Node's own request, where there is one (not in `app.request`). */
export interface AdminEnv {
  Bindings: Partial<Pick<HttpBindings, 'incoming' | 'outgoing'>>;
  Variables: { request_id: string };
}
