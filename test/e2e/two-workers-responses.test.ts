import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { storedResponses } from '../kit/stored-responses.ts';
import { until } from '../kit/until.ts';
import { startUpstream, type Upstream } from '../kit/upstream.ts';

/** Two gateway processes before two providers that keep responses. */
let product: Product;
let upstreams: Upstream[];

const provider = (upstream: Upstream) =>
  `{ use: openai, network: private, base_url: ${upstream.url} }`;

beforeAll(async () => {
  upstreams = await Promise.all(['a', 'b'].map((name) => startUpstream(storedResponses(name))));
  const [a, b] = upstreams as [Upstream, Upstream];
  product = await startProduct({
    policies: {
      'gateway.yaml': `version: 1
providers: { a: ${provider(a)}, b: ${provider(b)} }
targets:
  a: { provider: a, model: m }
  b: { provider: b, model: m }
agents: { default: { targets: [a] }, other: { targets: [b] } }
plugins: [{ use: model-router }]
`,
      'oracle_policies.yaml': 'version: 1\n',
    },
    env: { HIVE_WORKERS: '2' },
  });
}, 60_000);

afterAll(async () => {
  await product?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

/** A connection a request, and connections go to the two processes by turns. */
const ask = async <Value>(work: (client: OpenAI) => Promise<Value>): Promise<Value> => {
  const dispatcher = new Agent();
  const client = new OpenAI({
    baseURL: `${product.gateway_url}/v1`,
    apiKey: 'none',
    maxRetries: 0,
    fetch: (url, init) => undiciFetch(url as string, { ...init, dispatcher } as never) as never,
  });
  try {
    return await work(client);
  } finally {
    await dispatcher.close();
  }
};

/** The tokens that the metrics of both processes count. */
const tokens = async (): Promise<number> => {
  const text = await (await fetch(`${product.admin_url}/metrics`)).text();
  const lines = [...text.matchAll(/^hive_tokens_total\{agent="default",.*\} (\d+)$/gm)];
  return lines.reduce((sum, [, value]) => sum + Number(value), 0);
};

test('what an answer in the background has cost is counted once, whoever is asked', async () => {
  const [a] = upstreams as [Upstream, Upstream];
  let status = 'queued';
  const usage = { input_tokens: 600, output_tokens: 400, total_tokens: 1000 };
  a.script(({ response }) => {
    const made = { id: 'resp_late', object: 'response', status, output: [] };
    const told = status === 'queued' ? made : { ...made, usage };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(told));
  });
  await ask((client) =>
    client.responses.create({ model: 'default', input: 'hi', background: true }),
  );
  await ask((client) => client.responses.retrieve('resp_late'));
  status = 'completed';
  for (let time = 0; time < 6; time += 1) {
    await ask((client) => client.responses.retrieve('resp_late'));
  }
  // Each process reports all that it has counted: these calls come to both, and are told last.
  const few = { ...usage, input_tokens: 3, output_tokens: 4 };
  a.script(({ response }) => {
    const made = { id: 'resp_now', object: 'response', status, output: [], usage: few };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(made));
  });
  for (let time = 0; time < 4; time += 1) {
    await ask((client) => client.responses.create({ model: 'default', input: 'hi' }));
  }
  await until(async () => (await tokens()) >= 1000 + 4 * 7, { what: 'the tokens of all' });
  expect(await tokens()).toBe(1000 + 4 * 7);
  a.script(storedResponses('a'));
}, 60_000);

test('a response of one process is read, gone on from and deleted through the other', async () => {
  for (let round = 0; round < 8; round += 1) {
    const { id } = await ask((client) =>
      client.responses.create({ model: 'other', input: 'hi', background: round % 2 === 0 }),
    );
    expect(id).toMatch(/^resp_b_/);
    expect((await ask((client) => client.responses.retrieve(id))).id).toBe(id);
    const next = await ask((client) =>
      client.responses.create({ model: 'default', input: 'and?', previous_response_id: id }),
    );
    expect(next.id).toMatch(/^resp_b_/);
    const items = await ask((client) => client.responses.inputItems.list(id));
    expect(items.data).toHaveLength(1);
    await ask((client) => client.responses.delete(id));
  }
}, 60_000);
