import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plugins } from '../../src/plugins/index.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';

let cheap: Upstream;
let dear: Upstream;
let product: Product;

const policy = (strategy: string): string => `version: 1
providers:
  cheap: { use: openai, api_key: '\${A_KEY}', base_url: '${cheap.url}', network: private }
  dear: { use: openai, api_key: '\${A_KEY}', base_url: '${dear.url}', network: private }
targets:
  mini: { provider: cheap, model: one, price: { input_usd: 1, output_usd: 2 } }
  large: { provider: dear, model: two, price: { input_usd: 10, output_usd: 20 } }
agents:
  default: { targets: [mini, large] }
plugins:
${[...plugins.keys()].map((use) => `  - { use: ${use}${optionsOf(use, strategy)} }`).join('\n')}
`;
const optionsOf = (use: string, strategy: string): string =>
  use === 'model-router' ? `, options: ${strategy}` : '';

const cascade = '{ strategy: cascade, cascade: { order: [mini, large] } }';
const fixed = '{ strategy: fixed, target: large }';

beforeAll(async () => {
  [cheap, dear] = await Promise.all([startUpstream(), startUpstream()]);
  cheap.script(answer(' '));
  dear.script(answer('a good answer'));
  const files = {
    'gateway.yaml': policy(cascade),
    'oracle_policies.yaml': 'version: 1\n',
  };
  product = await startProduct({ policies: files, env: { A_KEY: 'key' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  await Promise.all([cheap?.close(), dear?.close()]);
});

async function call(stream = false): Promise<string | null> {
  const response = await fetch(`${product.gateway_url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'default',
      stream,
      messages: [{ role: 'user', content: 'hello there' }],
    }),
  });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('good');
  return response.headers.get('x-hive-attempts');
}

interface Seen {
  readonly plugins: Readonly<Record<string, { readonly calls: number; readonly bypassed: number }>>;
  readonly targets: Readonly<Record<string, { readonly lately?: { readonly cost_usd: number } }>>;
}

const read = async (path: string): Promise<string> =>
  (await fetch(`${product.admin_url}${path}`)).text();

test('the product shows each plugin and target, and what a cascade cost', async () => {
  for (let one = 0; one < 6; one += 1) expect(await call(one % 2 === 0)).toBe('2');
  const status = await until(
    async () => {
      const seen = JSON.parse(await read('/status')) as Seen;
      return seen.plugins['model-router']?.calls === 6 ? seen : null;
    },
    { what: 'the report of six calls' },
  );
  expect(Object.keys(status.plugins).sort()).toEqual([...plugins.keys()].sort());
  for (const row of Object.values(status.plugins))
    expect(row).toMatchObject({ calls: 6, open: [] });
  expect(status.targets.large?.lately?.cost_usd).toBeGreaterThan(
    status.targets.mini?.lately?.cost_usd ?? Infinity,
  );
  const told = [
    'hive_routes_total{agent="default",target="mini"} 6',
    'hive_plugin_calls_total{plugin="prompt-patcher"} 6',
    'hive_escalations_total{plugin="model-router",outcome="next"} 6',
  ];
  const metrics = await until(
    async () => {
      const text = await read('/metrics');
      return told.every((line) => text.includes(line)) && text;
    },
    { what: `the metrics of six calls: ${told.join(', ')}` },
  );
  for (const name of ['error_rate', 'headroom', 'cost_usd']) {
    expect(metrics).toContain(`hive_target_${name}{target="large"}`);
  }
  expect(metrics).toContain('hive_target_first_byte_seconds{target="large",size="small"}');
  expect(metrics).toMatch(/hive_cost_usd_total\{target="mini"\} 0\.0000/);
});

test('the product serves an edited strategy, and no call fails meanwhile', async () => {
  const file = join(product.policies_dir, 'gateway.yaml');
  for (const [strategy, attempts] of [
    [fixed, '1'],
    [cascade, '2'],
  ] as const) {
    writeFileSync(file, policy(strategy));
    await until(async () => (await call()) === attempts, { what: `the edit to ${strategy}` });
  }
});
