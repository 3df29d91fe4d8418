import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MODEL_ROUTES, MODELS_PATH, STORED_ROUTES } from '../../src/gateway/endpoints.ts';
import { createSideRoutes } from '../../src/gateway/health.ts';
import { createTargets } from '../../src/gateway/targets/targets.ts';
import { startAdmin } from '../admin/admin-kit.ts';
import { someExperiments } from '../admin/experiment-kit.ts';
import { world } from '../gateway/feedback-world.ts';

/** Rows of docs/api.md's tables of routes, as `POST /path`; a parameter is `{}`. */
function documented(text: string): ReadonlySet<string> {
  const rows = text.split('\n').filter((line) => /^\| `?(GET|POST|DELETE)\b/.test(line));
  return new Set(
    rows.flatMap((row) => {
      const cell = row.split('|')[1] ?? '';
      const methods = [...cell.matchAll(/\b(GET|POST|DELETE)\b/g)].map(([method]) => method);
      const paths = [...cell.matchAll(/\/[a-z0-9_/{}]*/g)].map(([path]) => path);
      // Two probes share a row, each with its method; a list of models has one row for both paths.
      return paths.flatMap((path) => (methods[0] ? [`${methods[0]} ${plain(path)}`] : []));
    }),
  );
}

const plain = (path: string): string => path.replace(/:\w+|\{\w+\}/g, '{}');

const API = readFileSync('docs/api.md', 'utf8');
const [GATEWAY = '', ADMIN = ''] = API.split('\n## The admin API');

test('docs/api.md has each route of the admin API, and no other', async () => {
  const { admin } = await startAdmin({ experiments: someExperiments() });
  const served = admin.app.routes
    .filter(({ method }) => method === 'GET' || method === 'POST')
    .map(({ method, path }) => `${method} ${plain(path)}`);
  await admin.close();
  expect(served.length).toBeGreaterThan(25);
  expect([...documented(ADMIN)].sort()).toEqual([...new Set(served)].sort());
});

test('docs/api.md has each route of the gateway, and no other', () => {
  const { app: feedbackRoutes, ...shared } = world();
  const side = createSideRoutes({ ...shared, feedbackRoutes } as never, createTargets as never);
  const served = [
    ...[...MODEL_ROUTES.keys()].map((path) => `POST ${path}`),
    `GET ${MODELS_PATH}`,
    `GET ${MODELS_PATH}/{}`,
    ...STORED_ROUTES.map((route) => plain(route)),
    ...side.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${plain(path)}`),
  ];
  expect([...documented(GATEWAY)].sort()).toEqual([...new Set(served)].sort());
});
