import { hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { askRaw, type RawAnswer } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import {
  answer,
  openAiError,
  startUpstream,
  status,
  stream,
  type Upstream,
} from '../kit/upstream.ts';

/**
 * A secret of its own in every input, no two alike; then whatever the product has written or said
 * is searched for all of them. `capture` keeps nothing here, so no place may have any.
 */
const secret = (name: string): string => `sk-canary-${name}-${hash('sha256', name, 'hex')}`;
const KEY = secret('client-key');
const PROVIDER = secret('provider-key');
const HEADERS = {
  authorization: `Bearer ${KEY}`,
  'x-user-id': secret('user'),
  'x-session-id': secret('session'),
  cookie: `session=${secret('cookie')}`,
  'proxy-authorization': `Basic ${secret('proxy')}`,
  'api-key': secret('other-key-form'),
  'x-goog-api-key': secret('google-key-form'),
  'x-anything': secret('unknown-header'),
  'content-type': 'application/json',
};
const CHAT = `/v1/chat/completions?key=${secret('query')}`;

let upstream: Upstream;
let product: Product;
const answers: { readonly what: string; readonly got: RawAnswer; readonly echoes: boolean }[] = [];

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
  product = await startProduct({
    policies: { 'gateway.yaml': policy(), 'oracle_policies.yaml': 'version: 1\n' },
    env: { UPSTREAM_URL: upstream.url, UPSTREAM_KEY: PROVIDER, HIVE_LOG_LEVEL: 'info' },
  });
});
afterAll(async () => {
  await product?.stop();
  await upstream.close();
});

function policy(): string {
  return `version: 1
providers:
  main: { use: openai, base_url: "\${UPSTREAM_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
  claude:
    { use: anthropic, base_url: "\${UPSTREAM_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
targets:
  main: { provider: main, model: m }
  claude: { provider: claude, model: m }
agents:
  default: { targets: [main] }
  claude: { targets: [claude] }
access: { mode: keys, keys: [{ name: app, sha256: ${hash('sha256', KEY, 'hex')} }] }
capture: { feedback_text: false }
resilience: { retry: { retries: 0 }, breaker: { calls_min: 100000, failures: 100000 } }
`;
}

const port = (): number => Number(new URL(product.gateway_url).port);

async function send(
  what: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  echoes = false,
): Promise<RawAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const got = await askRaw(port(), { path, headers: { ...HEADERS, ...headers }, body: text });
  answers.push({ what, got, echoes });
  return got;
}

const chat = (more: object = {}): object => ({
  model: 'default',
  user: secret('body-user'),
  metadata: { session_id: secret('body-session'), note: secret('metadata') },
  messages: [
    { role: 'system', content: secret('system-prompt') },
    { role: 'user', content: secret('prompt') },
    {
      role: 'assistant',
      tool_calls: [
        { id: 't', type: 'function', function: { name: 'f', arguments: secret('tool-arguments') } },
      ],
    },
    { role: 'tool', tool_call_id: 't', content: secret('tool-result') },
  ],
  ...more,
});

/** Calls that succeed, fail, stream, break off, are refused, and feedback on them. */
async function sendEverything(): Promise<void> {
  const said = secret('answer');
  upstream.script(answer(said));
  const first = await send('a call', CHAT, chat(), {}, true);
  upstream.script(stream([said, said]));
  await send('a stream', CHAT, chat({ stream: true }), {}, true);
  upstream.script(stream([said, { raw: `data: {"broken ${secret('chunk')}\n\n` }]));
  await send('a broken stream', CHAT, chat({ stream: true }), {}, true);
  for (const code of [401, 403, 429, 500, 503]) {
    upstream.script(status(code, openAiError(code, `Incorrect API key: ${PROVIDER}`)));
    await send(`an upstream's ${code}`, CHAT, chat());
  }
  upstream.script(status(400, openAiError(400, `Incorrect API key: ${PROVIDER}`)));
  await send('an upstream’s 400', CHAT, chat());
  await send('a message’s 400', '/v1/messages', { ...chat(), model: 'claude', max_tokens: 9 });
  const failing = { raw: `data: ${JSON.stringify(openAiError(500, `no: ${PROVIDER}`))}\n\n` };
  upstream.script(stream([said, failing]));
  await send('an error amid a stream', CHAT, chat({ stream: true }), {}, true);
  upstream.script(status(502, `<html>${PROVIDER} ${secret('html')}</html>`));
  await send('an upstream’s HTML', CHAT, chat());
  upstream.script(status(200, `{"key":"${PROVIDER}","broken`));
  await send('an upstream’s broken JSON', CHAT, chat());
  await send('broken JSON', CHAT, `{"model":"default","x":"${secret('broken-json')}`);
  await send('a wrong field', CHAT, { ...chat(), messages: secret('wrong-type') });
  await send('a wrong type', CHAT, { ...chat(), stream: secret('wrong-stream') });
  await send('another key', CHAT, chat(), { authorization: `Bearer ${secret('wrong-key')}` });
  await send('another scheme', CHAT, chat(), { authorization: `Basic ${secret('wrong-scheme')}` });
  await send('two keys', CHAT, chat(), { 'x-api-key': secret('second-key') });
  await send('a wrong host', CHAT, chat(), { host: `${secret('host')}/` });
  await send('an unknown route', `/v1/${'nothing'}?key=${secret('query-404')}`, chat());
  await send('a coded body', CHAT, chat(), { 'content-encoding': 'gzip' });
  const call_id = first.header('x-hive-call-id');
  const comment = secret('comment');
  const rated = { call_id, rating: 2, comment, correction: secret('correction') };
  expect((await send('feedback', '/feedback', rated)).status).toBe(202);
  await send('bad feedback', '/feedback', { call_id, rating: secret('rating') });
  await send('feedback that is no JSON', '/feedback', `{"comment":"${secret('feedback-json')}`);
  upstream.script(answer(said));
  const header = `rating=4, comment="${secret('feedback-header')}", call="${call_id}"`;
  await send('feedback in a header', CHAT, chat(), { 'x-feedback': header }, true);
  await send(
    'a bad header of feedback',
    CHAT,
    chat(),
    { 'x-feedback': secret('bad-header') },
    true,
  );
}

/** All that is searched, by where it is. */
async function written(): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const path of ['/metrics', '/status', '/', '/api/v1/oracle/metrics']) {
    places.set(`admin ${path}`, await (await fetch(`${product.admin_url}${path}`)).text());
  }
  for (const { what, got, echoes } of answers) {
    places.set(`headers of ${what}`, JSON.stringify(got.headers));
    // A model's own answer is its client's to read, all else is not.
    const body = got.body.toString('latin1');
    places.set(`answer to ${what}`, echoes ? body.replaceAll(secret('answer'), '') : body);
  }
  await product.quit();
  places.set('output', product.output());
  for (const file of filesIn(product.data_dir)) places.set(file, readFileSync(file, 'latin1'));
  return places;
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true })
    .map((name) => join(dir, String(name)))
    .filter((path) => statSync(path).isFile());
}

test('no secret of any input is in a log, a record, a metric, an error or a header', async () => {
  await sendEverything();
  const told = async (): Promise<boolean> => {
    const metrics = await (await fetch(`${product.admin_url}/metrics`)).text();
    return metrics.includes('hive_calls_total{agent="default",outcome="ok"}');
  };
  await until(told, { what: 'the calls to be counted' });
  const stored = async (): Promise<boolean> => {
    const status = await fetch(`${product.admin_url}/status`);
    const { journal } = (await status.json()) as { journal: { lag_bytes: number } };
    return journal.lag_bytes === 0;
  };
  await until(stored, { what: 'the store to have all events', deadline_ms: 20_000 });
  const places = await written();
  expect([...places.keys()].filter((place) => place.includes('journal')).length).toBeGreaterThan(0);
  const hits: string[] = [];
  for (const [place, text] of places) {
    for (const [found] of text.matchAll(/sk-canary-[a-z0-9-]+?-(?=[0-9a-f]{64})/g)) {
      hits.push(`${found} in ${place}`);
    }
  }
  expect([...new Set(hits)]).toEqual([]);
  // The search finds what is there: the calls did reach the upstream, the store and the journal.
  expect(places.get('admin /metrics')).toContain('hive_calls_total');
  const all = [...places.values()].join('\n');
  expect(all).toContain(answers[0]?.got.header('x-hive-call-id'));
}, 120_000);
