import { z } from 'zod';
import { GatewayError } from '../core/errors.ts';
import type { Proposals } from '../oracle/proposals/proposals.ts';
import { readBody } from './body.ts';
import type { Route } from './route.ts';

const name = z.string().min(1).max(500);
const forgetBody = z
  .strictObject({
    tenant: name.default('default'),
    user: name.optional(),
    session: name.optional(),
  })
  .refine(({ user, session }) => (user ?? session) !== undefined, 'name a user or a session');

/** Prompts that a model proposed, over HTTP; they are read here, and decided on as plans. */
export function proposalRoutes(proposals: Proposals | null): readonly Route[] {
  const there = (): Proposals => {
    if (proposals) return proposals;
    throw new GatewayError('switched_off', 'No model can be asked for proposals here.');
  };
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '',
      summary: 'the prompts that a model proposed, the budget, and what is waited for',
      async handle(c) {
        const [status, list] = await Promise.all([there().status(), there().list()]);
        return c.json({ status, proposals: list });
      },
    },
    {
      method: 'GET',
      path: '/:id',
      summary: 'one proposal with its text, its pairs and its plan',
      handle: async (c) => c.json({ proposal: await there().show(c.req.param('id') ?? '') }),
    },
    {
      method: 'POST',
      path: '/forget',
      summary: 'deletes what a user or a session said from the samples',
      async handle(c) {
        return c.json({ forgotten: await there().forget(await readBody(c, forgetBody)) });
      },
    },
  ];
  return routes.map((route) => ({ ...route, path: `/api/v1/oracle/proposals${route.path}` }));
}
