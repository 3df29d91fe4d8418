import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';

let left: Upstream;
let right: Upstream;
let product: Product;

const LEARNING = '{ strategy: bandit, bandit: { reward: feedback, maturity_s: 0 } }';
const policy = (options = LEARNING): string => `version: 1
providers:
  left: { use: openai, api_key: '\${A_KEY}', base_url: '${left.url}', network: private }
  right: { use: openai, api_key: '\${A_KEY}', base_url: '${right.url}', network: private }
targets:
  liked: { provider: left, model: one }
  disliked: { provider: right, model: two }
agents:
  default: { targets: { liked: 1, disliked: 1 } }
plugins:
  - use: model-router
    options: ${options}
`;

beforeAll(async () => {
  [left, right] = await Promise.all([startUpstream(), startUpstream()]);
  left.script(answer('fine'));
  right.script(answer('poor'));
  const files = { 'gateway.yaml': policy(), 'oracle_policies.yaml': 'version: 1\n' };
  product = await startProduct({ policies: files, time_scale: 60, env: { A_KEY: 'key' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  await Promise.all([left.close(), right.close()]);
});

interface Answered {
  readonly target: string;
  readonly id: string;
  readonly version: string;
}

async function call(user: number): Promise<Answered> {
  const response = await fetch(`${product.gateway_url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': `u${user}` },
    body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: `hi ${user}` }] }),
  });
  expect(response.status).toBe(200);
  await response.text();
  const header = (name: string): string => response.headers.get(name) ?? '';
  return {
    target: header('x-hive-target'),
    id: header('x-hive-call-id'),
    version: header('x-hive-version'),
  };
}

async function rate(call_id: string, rating: number): Promise<void> {
  const response = await fetch(`${product.gateway_url}/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ call_id, rating }),
  });
  expect(response.status).toBe(202);
}

interface Believed {
  readonly target: string;
  readonly share: number;
}

test('a router learns from ratings whom to ask, and the gateway follows at once', async () => {
  for (let user = 0; user < 60; user += 1) {
    const { target, id } = await call(user);
    expect(['liked', 'disliked']).toContain(target);
    await rate(id, target === 'liked' ? 5 : 1);
  }
  const disliked = async (): Promise<boolean> => {
    const response = await fetch(`${product.admin_url}/api/v1/router`);
    const { routers } = (await response.json()) as {
      routers: { rewards: number; categories: { targets: Believed[] }[] }[];
    };
    const shares = routers[0]?.categories[0]?.targets ?? [];
    const share = shares.find(({ target }) => target === 'disliked')?.share ?? 1;
    return routers[0]?.rewards === 60 && share < 0.05;
  };
  await until(disliked, { what: 'the table to change', deadline_ms: 30_000, every_ms: 100 });
  const served = await until(
    async () => {
      const calls = await Promise.all(Array.from({ length: 40 }, (_, at) => call(1000 + at)));
      const good = calls.filter(({ target }) => target === 'liked').length;
      return good >= 34 ? good : false;
    },
    { what: 'the gateway to follow', deadline_ms: 10_000, every_ms: 200 },
  );
  expect(served).toBeGreaterThanOrEqual(34);
}, 90_000);

const SWAPPED = [
  '{ strategy: weighted }',
  '{ strategy: fixed, target: liked }',
  '{ strategy: round-robin }',
  '{ strategy: least-in-flight }',
  '{ strategy: fastest }',
  '{ strategy: cheapest, facts: { liked: { input_usd: 1 } } }',
  "{ strategy: rules, rules: [{ when: 'call.tokens_in > 10', target: disliked }] }",
  '{ strategy: bandit, bandit: { reward: feedback, maturity_s: 0, rule: top-two } }',
  '{ strategy: squarecb, bandit: { reward: feedback, maturity_s: 0 } }',
  '{ strategy: linucb, bandit: { reward: feedback, maturity_s: 0 } }',
];

interface Shown {
  readonly strategy: string;
  readonly rewards: number;
  readonly published: { readonly model?: { readonly features: string } };
}

test('strategies and feeds are swapped in YAML under load, and no call fails', async () => {
  /** Calls by the version that served them. */
  const versions = new Map<string, number>();
  const failures: unknown[] = [];
  let open = true;
  const load = async (lane: number): Promise<void> => {
    for (let at = 0; open; at += 1) {
      try {
        const { id, target, version } = await call(10_000 * (lane + 1) + at);
        versions.set(version, (versions.get(version) ?? 0) + 1);
        await rate(id, target === 'liked' ? 5 : 1);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const lanes = [0, 1, 2, 3].map(load);
  for (const options of SWAPPED) {
    const before = new Set(versions.keys());
    writeFileSync(join(product.policies_dir, 'gateway.yaml'), policy(options));
    const seen = (): boolean =>
      [...versions].some(([version, calls]) => !before.has(version) && calls >= 10);
    await until(seen, { what: `calls by ${options}`, deadline_ms: 20_000 });
  }
  // The last one learns: its feed reaches the gateway while calls run.
  const learned = async (): Promise<boolean> => {
    const response = await fetch(`${product.admin_url}/api/v1/router`);
    const { routers } = (await response.json()) as { routers: Shown[] };
    const [shown] = routers;
    return shown?.strategy === 'linucb' && shown.published.model !== undefined;
  };
  await until(learned, { what: 'a model of calls', deadline_ms: 30_000, every_ms: 100 });
  const followed = async (): Promise<boolean> => {
    const calls = await Promise.all(Array.from({ length: 40 }, (_, at) => call(90_000 + at)));
    return calls.filter(({ target }) => target === 'liked').length >= 34;
  };
  await until(followed, { what: 'the gateway to follow', deadline_ms: 30_000, every_ms: 200 });
  open = false;
  await Promise.all(lanes);
  expect(failures).toEqual([]);
  expect(versions.size).toBeGreaterThanOrEqual(SWAPPED.length);
}, 180_000);
