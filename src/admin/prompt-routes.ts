import type { Context } from 'hono';
import { z } from 'zod';
import type { Prompts } from '../oracle/prompt-views.ts';
import type { AdminEnv } from './admin-env.ts';
import { readBody, readQuery } from './body.ts';
import type { Route } from './route.ts';

const said = {
  by: z.string().min(1).max(200).nullable().default(null),
  note: z.string().max(2000).nullable().default(null),
};
const label = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,99}$/, 'not a label');
const version = z.int().min(1).max(999_999_999);
const labelBody = z.strictObject({
  label,
  version,
  expected: version.nullable().optional(),
  ...said,
});
const rollbackBody = z.strictObject({
  label: label.default('production'),
  expected: version.nullable().optional(),
  ...said,
});
const versionBody = z.strictObject({
  content: z.unknown(),
  label: label.nullable().default(null),
  ...said,
});
const showQuery = z.strictObject({ days: z.coerce.number().positive().max(365).default(7) });
const diffQuery = z.strictObject({
  from: z.string().min(1).max(100),
  to: z.string().min(1).max(100),
});

/** Prompts over HTTP: versions never change, labels move, and what a label was can come back. */
export function promptRoutes(prompts: Prompts): readonly Route[] {
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '',
      summary: 'the prompts with their versions, labels and agents',
      handle: async (c) => c.json({ prompts: await prompts.list() }),
    },
    {
      method: 'GET',
      path: '/:name',
      summary: 'one prompt with its texts, history and impact; ?days=',
      async handle(c) {
        const { days } = readQuery(c, showQuery);
        return c.json({ prompt: await prompts.show(nameOf(c), days) });
      },
    },
    {
      method: 'GET',
      path: '/:name/diff',
      summary: 'the lines of two versions; ?from=&to=, numbers or labels',
      async handle(c) {
        const { from, to } = readQuery(c, diffQuery);
        return c.json({ diff: await prompts.diff(nameOf(c), from, to) });
      },
    },
    {
      method: 'POST',
      path: '/:name/labels',
      summary: 'moves a label; `expected` makes it a compare-and-set',
      async handle(c) {
        const body = await readBody(c, labelBody);
        return c.json({ moved: await prompts.label({ name: nameOf(c), ...body }) });
      },
    },
    {
      method: 'POST',
      path: '/:name/rollback',
      summary: 'puts a label back to where it was before its last move',
      async handle(c) {
        const body = await readBody(c, rollbackBody);
        return c.json({ moved: await prompts.rollback({ name: nameOf(c), ...body }) });
      },
    },
    {
      method: 'POST',
      path: '/:name/versions',
      summary: 'adds a version, and moves a label to it where one is named',
      async handle(c) {
        const body = await readBody(c, versionBody);
        return c.json({ moved: await prompts.importVersion({ name: nameOf(c), ...body }) });
      },
    },
  ];
  return routes.map((route) => ({ ...route, path: `/api/v1/prompts${route.path}` }));
}

/** The route's pattern has `:name`, so it is always there. */
function nameOf(c: Context<AdminEnv>): string {
  return c.req.param('name') ?? '';
}
