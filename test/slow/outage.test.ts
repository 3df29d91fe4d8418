import { afterEach, describe, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { askRaw } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  type Behaviour,
  reset,
  startUpstream,
  status,
  type Upstream,
} from '../kit/upstream.ts';

/** S15 of failoverbench in its own seconds, with the shipped defaults of `resilience`. */
const OUTAGE_MS = 60_000;
const CALLS = 15;

const POLICY = `version: 1
providers:
  first: { use: openai, base_url: "\${FIRST_URL}", api_key: "\${KEY}", network: private }
  second: { use: openai, base_url: "\${SECOND_URL}", api_key: "\${KEY}", network: private }
targets:
  primary: { provider: first, model: one }
  spare: { provider: second, model: two }
agents:
  default: { targets: { primary: 1, spare: 0 } }
plugins: [{ use: model-router }]
`;

let product: Product;
let upstreams: readonly Upstream[] = [];
afterEach(async () => {
  await product?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

const start = async () => {
  const [first, second] = await Promise.all([
    startUpstream(answer('a')),
    startUpstream(answer('b')),
  ]);
  upstreams = [first, second];
  product = await startProduct({
    policies: { 'gateway.yaml': POLICY, 'oracle_policies.yaml': 'version: 1\n' },
    env: { FIRST_URL: first.url, SECOND_URL: second.url, KEY: 'sk-x' },
  });
  const port = Number(new URL(product.gateway_url).port);
  const body = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hi' }] });
  return { first, ask: () => askRaw(port, { path: '/v1/chat/completions', body }) };
};

const FAULTS: readonly (readonly [string, Behaviour])[] = [
  ['503', status(503)],
  ['a reset', reset()],
];

describe('4e S15', () => {
  test.each(FAULTS)('a 60 s outage (%s) costs at most 4 attempts, and no call', async (...row) => {
    const [what, fault] = row;
    const { first, ask } = await start();
    expect((await ask()).header('x-hive-target')).toBe('primary');
    first.script(fault);
    const known = first.calls.length;
    const begun_ms = performance.now();
    for (let call = 0; call < CALLS; call += 1) {
      const got = await ask();
      expect([got.status, got.header('x-hive-target')]).toEqual([200, 'spare']);
      const next_ms = begun_ms + ((call + 1) * OUTAGE_MS) / CALLS;
      const due = () => performance.now() >= next_ms;
      await until(due, { what: 'the next call', deadline_ms: OUTAGE_MS });
    }
    const attempts = first.calls.length - known;
    first.script(answer('a'));
    const recovered_ms = performance.now();
    const isBack = async () => (await ask()).header('x-hive-target') === 'primary';
    await until(isBack, { what: 'the primary', every_ms: 250, deadline_ms: 20_000 });
    const back_ms = Math.round(performance.now() - recovered_ms);
    process.stdout.write(`outage by ${what}: ${attempts} attempts, back after ${back_ms} ms\n`);
    expect(attempts).toBeLessThanOrEqual(4);
    expect(back_ms).toBeLessThanOrEqual(5000);
  });
});
