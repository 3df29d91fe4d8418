import { hash } from 'node:crypto';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { AccessKey } from '../../src/core/access-policy.ts';
import type { GatewayDeps } from '../../src/gateway/deps.ts';
import { MODEL_ROUTES, MODELS_PATH, STORED_ROUTES } from '../../src/gateway/endpoints.ts';
import { createSideRoutes } from '../../src/gateway/health.ts';
import type { Targets } from '../../src/gateway/targets/targets.ts';
import { smallPolicy } from '../core/policy.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { world } from './feedback-world.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
});
afterEach(() => gateway?.close());
afterAll(() => upstream.close());

const sha256 = (text: string): string => hash('sha256', text, 'hex');
const key = (name: string, agents: AccessKey['agents']): AccessKey => ({
  name,
  tenant: name,
  agents,
  asserts: [],
});
const access = {
  mode: 'keys' as const,
  keys: { [sha256('sk-all')]: key('all', null), [sha256('sk-other')]: key('other', ['other']) },
};
const policy = { ...smallPolicy, access };

/** Who asks; `other` has a key whose only agent is not the one that is asked for. */
const PRINCIPALS: Readonly<Record<string, Record<string, string>>> = {
  nobody: {},
  stranger: { authorization: 'Bearer sk-none' },
  basic: { authorization: 'Basic sk-all' },
  twofold: { authorization: 'Bearer sk-all', 'x-api-key': 'sk-other' },
  other: { authorization: 'Bearer sk-other' },
  all: { 'x-api-key': 'sk-all' },
};
const NAMES = Object.keys(PRINCIPALS);

/** Statuses by principal, in their order. `in` is whatever is neither 401 nor 403 nor two keys. */
type Verdicts = readonly (number | 'in')[];
const OPEN: Verdicts = ['in', 'in', 'in', 'in', 'in', 'in'];
const BY_AGENT: Verdicts = [401, 401, 401, 400, 403, 'in'];
const BY_KEY: Verdicts = [401, 401, 401, 400, 'in', 'in'];

/** What each route is to each of them. A route that is added needs a line here. */
const VERDICTS: Readonly<Record<string, Verdicts>> = {
  'POST /v1/chat/completions': BY_AGENT,
  'POST /v1/responses': BY_AGENT,
  'POST /v1/responses/input_tokens': BY_AGENT,
  'POST /v1/responses/compact': BY_AGENT,
  'GET /v1/responses/{id}': BY_AGENT,
  'DELETE /v1/responses/{id}': BY_AGENT,
  'POST /v1/responses/{id}/cancel': BY_AGENT,
  'GET /v1/responses/{id}/input_items': BY_AGENT,
  'POST /v1/completions': BY_AGENT,
  'POST /v1/embeddings': BY_AGENT,
  'POST /v1/moderations': BY_AGENT,
  'POST /v1/messages': BY_AGENT,
  'POST /v1/messages/count_tokens': BY_AGENT,
  'GET /v1/models': BY_KEY,
  'POST /feedback': BY_AGENT,
  'POST /api/v1/feedback/collect': BY_AGENT,
  'GET /health': OPEN,
  'GET /ready': OPEN,
};

/** Every route that there is, as the code has it. */
function allRoutes(): string[] {
  const deps = { feedbackRoutes: world({ policy }).app } as unknown as GatewayDeps;
  const side = createSideRoutes(deps, {} as Targets).routes;
  return [
    ...[...MODEL_ROUTES.keys()].map((path) => `POST ${path}`),
    `GET ${MODELS_PATH}`,
    ...STORED_ROUTES,
    ...side.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
  ];
}

const BODY = JSON.stringify({
  agent_id: 'default',
  model: 'default',
  messages: [{ role: 'user', content: 'hi' }],
  input: 'hi',
  prompt: 'hi',
  max_tokens: 5,
  rating: 4,
  explicit: { rating: 4 },
});

test('every route of the gateway has a verdict for every principal, and keeps to it', async () => {
  expect([...new Set(allRoutes())].sort()).toEqual(Object.keys(VERDICTS).sort());
  const snapshot = makeSnapshot({
    targets: { main: upstream.url },
    agents: { default: {}, other: {} },
    access,
  });
  gateway = await startGateway(snapshot, { feedbackRoutes: world({ policy }).app });
  const problems: string[] = [];
  for (const [route, verdicts] of Object.entries(VERDICTS)) {
    const [method = '', path = ''] = route.split(' ');
    for (const [index, name] of NAMES.entries()) {
      const { status } = await fetch(`${gateway.url}${path.replace('{id}', 'resp_1')}`, {
        method,
        headers: {
          'content-type': 'application/json',
          'x-agent-id': 'default',
          ...PRINCIPALS[name],
        },
        ...(method === 'POST' ? { body: BODY } : {}),
      });
      const wanted = verdicts[index];
      const fits = wanted === 'in' ? status !== 401 && status !== 403 : status === wanted;
      if (!fits) problems.push(`${route} as ${name}: ${status}, not ${wanted}`);
    }
  }
  expect(problems).toEqual([]);
});

test('the matrix would miss no route: one that is added to the side routes is found', () => {
  const more = new Hono().get('/secret-route', (context) => context.text('x'));
  const deps = { feedbackRoutes: more } as unknown as GatewayDeps;
  const paths = createSideRoutes(deps, {} as Targets).routes.map(({ path }) => path);
  expect(paths).toContain('/secret-route');
});
