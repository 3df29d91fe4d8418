import type { Context } from 'hono';
import { z } from 'zod';
import type { AbExperiments } from '../oracle/ab-answers.ts';
import type { AdminEnv } from './admin-env.ts';
import { readBody } from './body.ts';
import type { Route } from './route.ts';

const stopBody = z.strictObject({
  by: z.string().min(1).max(200).nullable().default(null),
  note: z.string().max(2000).nullable().default(null),
});

/** A/B experiments over HTTP: readable at any time, and ended by a person; YAML begins them. */
export function experimentRoutes(experiments: AbExperiments | undefined): readonly Route[] {
  if (!experiments) return [];
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '',
      summary: 'the A/B experiments, and what each has come to',
      handle: async (c) => c.json({ experiments: await experiments.list() }),
    },
    {
      method: 'GET',
      path: '/:name',
      summary: 'one experiment, judged now: arms, differences, intervals, split',
      handle: async (c) => c.json({ experiment: await experiments.show(nameOf(c)) }),
    },
    {
      method: 'POST',
      path: '/:name/stop',
      summary: 'ends an experiment: all get its `on_stop` arm',
      async handle(c) {
        const { by, note } = await readBody(c, stopBody);
        return c.json({ experiment: await experiments.stop(nameOf(c), by, note) });
      },
    },
  ];
  return routes.map((route) => ({ ...route, path: `/api/v1/experiments${route.path}` }));
}

/** The route's pattern has `:name`, so it is always there. */
function nameOf(c: Context<AdminEnv>): string {
  return c.req.param('name') ?? '';
}
