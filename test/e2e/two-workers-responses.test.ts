import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { storedResponses } from '../kit/stored-responses.ts';
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
