import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../gateway/gateway-kit.ts';
import { anthropicAt, makeSnapshot } from '../gateway/snapshot.ts';
import { actor } from '../kit/actor.ts';
import { askRaw, type RawAnswer, sendRaw } from '../kit/raw-http.ts';
import {
  type Behaviour,
  htmlError,
  reset,
  stall,
  startUpstream,
  status,
  type Upstream,
} from '../kit/upstream.ts';
import { ONCE, RETRYING } from './contract-kit.ts';

const MESSAGES = '/v1/messages';
let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

/** The target that answers natively is `claude`; `gpt` answers by translation. */
const start = async (script: Behaviour = actor(), more: Spec = {}) => {
  upstream.script(script);
  const claude = { provider: anthropicAt(upstream.url) };
  gateway = await startGateway(
    makeSnapshot({
      targets: { claude, gpt: upstream.url },
      agents: { default: { targets: ['claude'] } },
      resilience: ONCE,
      body_bytes_max: 5000,
      ...more,
    }),
  );
};
const bodyOf = (more: object = {}) =>
  JSON.stringify({
    model: 'default',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'hi' }],
    ...more,
  });
const askMessages = (body = bodyOf(), headers: Readonly<Record<string, string>> = {}) =>
  askRaw(gateway.port, {
    path: MESSAGES,
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
    body,
  });

function expectAnthropicError(answer: { json: () => unknown }): {
  readonly type: string;
  readonly message: string;
} {
  const body = answer.json() as { type: string; error: { type: string; message: string } };
  expect(body.type).toBe('error');
  expect(Object.keys(body.error).sort()).toEqual(['message', 'type']);
  expect(body.error.type).toMatch(/_error$|^request_too_large$/);
  expect(body.error.message).not.toBe('');
  return body.error;
}

const REFUSED: readonly (readonly [string, number, string, () => Promise<RawAnswer>])[] = [
  ['malformed JSON', 400, 'invalid_request_error', () => askMessages('{"model":')],
  ['an empty body', 400, 'invalid_request_error', () => askMessages('')],
  ['no model', 400, 'invalid_request_error', () => askMessages('{"messages":[],"max_tokens":1}')],
  ['no messages', 400, 'invalid_request_error', () => askMessages('{"model":"default"}')],
  ['an unknown model', 404, 'not_found_error', () => askMessages(bodyOf({ model: 'none' }))],
  [
    'a body over the limit',
    413,
    'request_too_large',
    () => askMessages(bodyOf({ pad: 'x'.repeat(9000) })),
  ],
  ['a wrong method', 405, 'invalid_request_error', () => askRaw(gateway.port, { path: MESSAGES })],
  [
    'a route below it that is none',
    404,
    'not_found_error',
    () => askRaw(gateway.port, { path: `${MESSAGES}/none`, body: '{}' }),
  ],
  [
    'a foreign Host',
    400,
    'invalid_request_error',
    () => askMessages(bodyOf(), { host: 'evil.example' }),
  ],
];

const SHORT = { first_token_ms: 100, total_ms: 400 };
const FAILING: readonly (readonly [string, Behaviour])[] = [
  ['HTML', htmlError()],
  ['nothing', status(500, '')],
  ['truncated JSON', status(500, '{"type":"error","err')],
  ['an OpenAI error', status(500)],
  ['a reset', reset()],
  ['silence', stall()],
  ['an answer that is no JSON', status(200, '{"id":', { 'content-type': 'application/json' })],
];

describe('4c Errors of /v1/messages', () => {
  test.each(REFUSED)('4c are Anthropic’s for %s: %i %s', async (_what, code, type, run) => {
    await start();
    const got = await run();
    expect(got.status).toBe(code);
    expect(expectAnthropicError(got).type).toBe(type);
    expect(got.header('x-request-id')).not.toBeNull();
    expect(upstream.calls).toEqual([]);
  });

  test.each(FAILING)('4c are Anthropic’s where the upstream sends %s', async (what, script) => {
    for (const model of ['claude', 'gpt']) {
      await start(script, { timeouts: what === 'silence' ? SHORT : {} });
      const got = await askMessages(bodyOf({ model }));
      expect(got.status).toBeGreaterThanOrEqual(500);
      expectAnthropicError(got);
      const live = await askMessages(bodyOf({ model, stream: true }));
      expect(live.status).toBeGreaterThanOrEqual(500);
      expectAnthropicError(live);
      await gateway.close();
    }
  });

  test('4c 401 without a key and 403 for a foreign agent are Anthropic’s', async () => {
    const digest = await sha256('right-key');
    const key = { name: 'ci', tenant: 'acme', agents: ['default'], asserts: [] };
    await start(actor(), {
      agents: { default: { targets: ['claude'] }, other: { targets: ['claude'] } },
      access: { mode: 'keys', keys: { [digest]: key } },
    });
    const none = await askMessages();
    expect([none.status, expectAnthropicError(none).type]).toEqual([401, 'authentication_error']);
    const wrong = await askMessages('{', { 'x-api-key': 'wrong' });
    expect([wrong.status, expectAnthropicError(wrong).type]).toEqual([401, 'authentication_error']);
    const headers = { 'x-api-key': 'right-key', 'x-agent-id': 'other' };
    const foreign = await askMessages(bodyOf(), headers);
    expect([foreign.status, expectAnthropicError(foreign).type]).toEqual([403, 'permission_error']);
    const bearer = { authorization: 'Bearer right-key' };
    expect((await askMessages(bodyOf(), bearer)).status).toBe(200);
    expect((await askMessages(bodyOf(), { 'x-api-key': 'right-key' })).status).toBe(200);
    expect(JSON.stringify(upstream.requests)).not.toContain('right-key');
  });

  test('4c an upstream’s own words and type come through', async () => {
    const error = { type: 'rate_limit_error', message: 'slow down' };
    await start(status(429, { type: 'error', error }, { 'retry-after': '7' }));
    const got = await askMessages();
    expect(got.status).toBe(429);
    expect(expectAnthropicError(got)).toEqual(error);
    expect(got.header('retry-after')).toBe('7');
  });
});

describe('Anthropic’s API, newest version', () => {
  test('newest version: relays the client’s version and betas, with the target’s key', async () => {
    await start();
    const known = upstream.requests.length;
    await askMessages(bodyOf(), {
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'one-2026,two-2026',
      authorization: 'Bearer client-key',
    });
    const request = upstream.requests[known];
    expect(request?.headers).toMatchObject({
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'one-2026,two-2026',
    });
    expect(JSON.stringify(request?.raw_headers)).not.toContain('client-key');
    expect(JSON.stringify(request?.raw_headers)).toContain('sk-ant-upstream');
  });

  test('newest version: takes the SDK’s calls, whose key is a bearer token', async () => {
    await start();
    const known = upstream.requests.length;
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    await client.messages.create({ model: 'default', max_tokens: 10, messages });
    expect(upstream.requests[known]?.headers['anthropic-version']).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test('newest version: a translated chat names one version on purpose', async () => {
    await start();
    const known = upstream.requests.length;
    const messages = [{ role: 'user', content: 'hi' }];
    await gateway.post({ model: 'claude', messages, temperature: 0.5 });
    const request = upstream.requests[known];
    expect(request?.path).toBe('/v1/messages');
    expect(request?.headers['anthropic-version']).toBe('2023-06-01');
    expect(request?.body.temperature).toBe(0.5);
  });

  test('newest version: bodies pass untouched, with thinking, documents and caching', async () => {
    await start();
    const known = upstream.requests.length;
    const body = `{ "model":"default","max_tokens":1e2, "thinking":{"type":"enabled",
      "budget_tokens":1024}, "system":[{"type":"text","text":"s",
      "cache_control":{"type":"ephemeral"}}],
      "messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","data":"d",
      "media_type":"text/plain"},"citations":{"enabled":true}},{"type":"text","text":"\\u00e9"}]},
      {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"c2ln"}]},
      {"role":"user","content":"go"}], "x_unknown":[null,18446744073709551615], "metadata":null }`;
    await askMessages(body);
    const sent = upstream.requests[known]?.raw.toString();
    expect(sent).toBe(body.replace('"default"', '"model-claude"'));
  });

  test('newest version: a cut stream ends in an error event, without message_stop', async () => {
    await start(actor(), { resilience: RETRYING, timeouts: { idle_ms: 300 } });
    for (const model of ['claude', 'gpt']) {
      const hang = [{ role: 'user', content: 'hang' }];
      const got = await askMessages(bodyOf({ model, stream: true, messages: hang }));
      const text = got.body.toString();
      expect(text).toContain('"one "');
      expect(text).toMatch(/event: error\ndata: \{"type":"error"/);
      expect(text).not.toContain('message_stop');
    }
  });

  test('newest version: what Node cannot parse is refused as HTTP, whoever it was', async () => {
    await start();
    expect((await sendRaw(gateway.port, 'POST /v1/messages\r\n\r\n')).status).toBe(400);
  });
});

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(text));
  return Buffer.from(digest).toString('hex');
}
