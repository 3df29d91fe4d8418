import { hash } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AccessKey, AccessPolicy } from '../../src/core/access-policy.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { admit } from '../../src/gateway/access.ts';
import { hashIdentity } from '../../src/gateway/conversation/identity.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

const sha256 = (text: string) => hash('sha256', text, 'hex');
const entry = (name: string, more: Partial<AccessKey> = {}): AccessKey => ({
  name,
  tenant: 'acme',
  agents: null,
  asserts: [],
  ...more,
});
const withKeys = (keys: Record<string, AccessKey>): AccessPolicy => ({
  mode: 'keys',
  keys: Object.fromEntries(Object.entries(keys).map(([key, one]) => [sha256(key), one])),
});
const access = withKeys({
  'sk-ci': entry('ci', { agents: ['helper'] }),
  'sk-app': entry('app', { tenant: 'other', asserts: ['user'] }),
});
const headers = (given: Record<string, string>) => (name: string) => given[name];
const refusal = (given: Record<string, string>, policy = access) => {
  try {
    return admit(policy, headers(given));
  } catch (error) {
    return error;
  }
};

describe('admit', () => {
  test('admit lets everyone in where access is open, whatever they send', () => {
    const open: AccessPolicy = { mode: 'open', keys: {} };
    const caller = { tenant: 'default', key: 'open', agents: null };
    expect(admit(open, headers({}))).toMatchObject(caller);
    const both = { authorization: 'Basic x', 'x-api-key': 'y' };
    expect(admit(open, headers(both))).toMatchObject(caller);
  });

  test.each<[string, Record<string, string>]>([
    ['a bearer token', { authorization: 'Bearer sk-app' }],
    ['a bearer token in any case', { authorization: 'bearer  sk-app ' }],
    ['x-api-key', { 'x-api-key': 'sk-app' }],
    ['both alike', { authorization: 'Bearer sk-app', 'x-api-key': 'sk-app' }],
  ])('admit knows a key sent as %s', (_how, given) => {
    const caller = { tenant: 'other', key: 'app', agents: null, asserts: ['user'] };
    expect(admit(access, headers(given))).toEqual(caller);
  });

  test.each<[string, Record<string, string>, string]>([
    ['no key', {}, 'unauthorized'],
    ['an empty key', { authorization: '', 'x-api-key': ' ' }, 'unauthorized'],
    ['an unknown key', { authorization: 'Bearer sk-none' }, 'unauthorized'],
    ['another scheme', { authorization: 'Basic sk-app' }, 'unauthorized'],
    ['the hash of a key', { 'x-api-key': sha256('sk-app') }, 'unauthorized'],
    ['a name of every object', { 'x-api-key': '__proto__' }, 'unauthorized'],
    ['two keys', { authorization: 'Bearer sk-app', 'x-api-key': 'sk-ci' }, 'bad_request'],
  ])('admit refuses %s', (_what, given, code) => {
    const refused = refusal(given);
    expect(refused).toBeInstanceOf(GatewayError);
    expect(refused).toMatchObject({ code });
  });

  test('admit lets in exactly who has a key, and never says one', () => {
    const value = fc.oneof(
      fc.constantFrom('sk-app', 'sk-ci', 'Bearer sk-app', 'Bearer sk-ci', 'bearer sk-ci', ''),
      fc.string().map((text) => `Bearer ${text}`),
      fc.string(),
    );
    const given = fc.record({ authorization: value, 'x-api-key': value }, { requiredKeys: [] });
    fc.assert(
      fc.property(given, (sent) => {
        const result = refusal(sent as Record<string, string>);
        const bearer = /^bearer +(\S+)\s*$/i.exec(sent.authorization ?? '')?.[1];
        const keys = new Set([bearer, sent['x-api-key']?.trim()].filter(Boolean));
        const known = keys.size === 1 && (keys.has('sk-app') || keys.has('sk-ci'));
        const valid = bearer !== undefined || (sent.authorization ?? '').trim() === '';
        expect(result instanceof GatewayError).toBe(!(known && valid));
        if (!(result instanceof GatewayError)) return;
        for (const key of keys) {
          if (key !== undefined && key.length > 8) expect(result.message).not.toContain(key);
        }
        validateHeaderValue('x-hive-notes', result.message);
      }),
    );
  });
});

describe('a gateway with keys', () => {
  let upstream: Upstream;
  let gateway: RunningGateway;
  beforeAll(async () => {
    upstream = await startUpstream(answer('fine'));
  });
  afterEach(() => gateway.close());
  afterAll(() => upstream.close());

  const agents = { default: {}, helper: { targets: ['main'] } };
  const snapshot = (policy: AccessPolicy) =>
    makeSnapshot({ targets: { main: upstream.url, big: upstream.url }, agents, access: policy });
  const start = async () => {
    gateway = await startGateway(snapshot(access));
  };
  const post = (key: string | null, body: object = ask(), more: Record<string, string> = {}) =>
    gateway.post(body, { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...more });

  test('every model route is closed to who has no key, in the words of its clients', async () => {
    await start();
    const routes = ['chat/completions', 'responses', 'completions', 'embeddings', 'moderations'];
    for (const route of routes) {
      const response = await fetch(`${gateway.url}/v1/${route}`, { method: 'POST', body: '{' });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } });
    }
    for (const route of ['messages', 'messages/count_tokens']) {
      const response = await fetch(`${gateway.url}/v1/${route}`, { method: 'POST', body: '{' });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({
        type: 'error',
        error: { type: 'authentication_error' },
      });
    }
    for (const path of ['/v1/models', '/v1/models/main']) {
      expect((await fetch(gateway.url + path)).status).toBe(401);
    }
    expect(upstream.requests).toHaveLength(0);
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/ready`)).status).toBe(200);
    expect(JSON.stringify(gateway.lines)).not.toContain('sk-');
  });

  test('a call is recorded for the tenant and the name of its key', async () => {
    await start();
    expect((await post('sk-app', ask('hi', { user: 'anna' }))).status).toBe(200);
    const event = await gateway.event();
    const user = hashIdentity(Buffer.alloc(32, 7), 'other', 'anna');
    expect(event).toMatchObject({ tenant: 'other', key: 'app', unit: `u:${user}` });
    expect(JSON.stringify(event)).not.toContain('sk-app');
    expect(upstream.calls.at(-1)?.headers.authorization).toBe('Bearer sk-upstream');
  });

  test('a key with agents has no others, nor their targets', async () => {
    await start();
    const ci = (body: object, more = {}) => post('sk-ci', body, more);
    expect((await ci(ask('hi', { model: 'helper' }))).status).toBe(200);
    expect((await ci(ask('hi', { model: 'main' }))).status).toBe(200);
    expect((await gateway.event(2)).agent).toBe('helper');
    for (const [param, refused] of [
      ['model', await ci(ask('hi', { model: 'default' }))],
      ['x-agent-id', await ci(ask('hi', { model: 'helper' }), { 'x-agent-id': 'default' })],
      ['x-agent-id', await ci(ask('hi', { model: 'helper' }), { 'x-agent-id': 'nobody' })],
      ['model', await ci(ask('hi', { model: 'big' }))],
      ['x-hive-target', await ci(ask('hi', { model: 'helper' }), { 'x-hive-target': 'big' })],
    ] as const) {
      const body = await refused.json();
      expect([refused.status, body]).toMatchObject([403, { error: { code: 'forbidden', param } }]);
    }
    const unknown = await ci(ask('hi', { model: 'gpt-99' }));
    expect(await unknown.json()).toMatchObject({
      error: {
        message: 'The model gpt-99 does not exist. Known agents: helper. Known targets: main.',
      },
    });
    const listed = await fetch(`${gateway.url}/v1/models`, { headers: { 'x-api-key': 'sk-ci' } });
    const { data } = (await listed.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['helper', 'main']);
  });

  test('a removed key stops working at the next swap, a new one starts', async () => {
    await start();
    expect((await post('sk-app')).status).toBe(200);
    await gateway.current.swap(snapshot(withKeys({ 'sk-new': entry('new') })));
    expect((await post('sk-app')).status).toBe(401);
    expect((await post('sk-new')).status).toBe(200);
  });

  test('a gateway with keys may be called by any name, for no page has one', async () => {
    await start();
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      const options = { port: gateway.port, path: '/health', headers: { host: 'hive.example' } };
      request(options, (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(200);
  });
});
