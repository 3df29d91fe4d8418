import { once } from 'node:events';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { GatewayDeps, Rater } from '../../src/gateway/deps.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

const start = async (more: Spec = {}, given: Partial<GatewayDeps> = {}) => {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }), given);
};

/** Sends bytes as they are, and reads to the end of the connection. */
const raw = async (text: string) => {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write(text);
  let answered = '';
  socket.setEncoding('utf8').on('data', (part) => {
    answered += part;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  const [head = '', body = ''] = answered.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body };
};
const line = (target: string, host = 'host: localhost') =>
  raw(`GET ${target} HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`);

describe('what may be asked', () => {
  test.each([
    'evil.example',
    'localhost@evil.example',
    'localhost/x',
    'localhost:99999999',
    'löcalhost',
    '127.0.0.1.evil.example',
    '',
  ])('the listener refuses the Host %j', async (host) => {
    await start();
    const answered = await line('/health', `host: ${host}`);
    expect(answered.status).toBe(400);
    expect(JSON.parse(answered.body)).toMatchObject({ error: { code: 'invalid_host' } });
    expect(answered.head).toContain('x-request-id: call_');
  });

  test.each(['localhost', 'LOCALHOST:8091', '127.0.0.1:1', '[::1]:8091'])(
    'the listener takes the Host %j',
    async (host) => {
      await start();
      expect((await line('/health', `host: ${host}`)).status).toBe(200);
    },
  );

  test('the listener refuses a request without a Host', async () => {
    await start();
    const answered = await raw('GET /health HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(answered.status).toBe(400);
    expect(JSON.parse(answered.body)).toMatchObject({ error: { code: 'invalid_host' } });
  });

  test.each([
    'http://localhost/health',
    '//health',
    '/v1//models',
    '/v1/../health',
    '/./health',
    '/%2e%2e/health',
    '/v1%2fmodels',
    '/v1%5cmodels',
    '/v1\\models',
    '*',
  ])('the listener refuses the target %s', async (target) => {
    await start();
    const answered = await line(target);
    expect(answered.status).toBe(400);
    expect(JSON.parse(answered.body)).toMatchObject({ error: { param: 'path' } });
  });

  test('the listener answers what is no HTTP with an error body', async () => {
    await start();
    const answered = await raw('nonsense\r\n\r\n');
    expect(answered.status).toBe(400);
    expect(JSON.parse(answered.body)).toMatchObject({ error: { type: 'invalid_request_error' } });
    const large = await raw(
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    );
    expect(large.status).toBe(431);
  });

  test.each(['RTSP/1.0', 'RTSP/1.1', 'ICE/1.0'])(
    'the listener refuses %s, which Node reads as if it were HTTP',
    async (protocol) => {
      await start();
      const known = upstream.calls.length;
      const body = JSON.stringify(ask());
      const method = protocol.startsWith('ICE') ? 'SOURCE' : 'POST';
      const answered = await raw(
        `${method} /v1/chat/completions ${protocol}\r\nhost: localhost\r\n` +
          `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      expect(answered.status).toBe(400);
      expect(answered.head).toContain('connection: close');
      expect(JSON.parse(answered.body).error.message).toBe('This is not HTTP.');
      expect(upstream.calls.length).toBe(known);
    },
  );

  test('an unknown route is 404 in the client’s dialect, with ids', async () => {
    await start();
    const response = await fetch(`${gateway.url}/v1/images`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-request-id')).toMatch(/^call_/);
    expect(response.headers.get('x-hive-call-id')).toMatch(/^call_/);
    expect(await response.json()).toEqual({
      error: {
        message: 'There is no POST /v1/images.',
        type: 'invalid_request_error',
        param: 'path',
        code: 'not_found',
      },
    });
    expect((await fetch(`${gateway.url}/v1/chat/completions`)).status).toBe(405);
    expect((await fetch(`${gateway.url}/v1/models`, { method: 'DELETE' })).status).toBe(405);
  });

  test('who opens the address itself is told what is where', async () => {
    await start();
    const { error } = (await (await fetch(`${gateway.url}/`)).json()) as { error: Error };
    expect(error.message).toMatch(/^There is no GET \/\. .* \/v1 .* \/feedback; .* admin port\.$/);
  });

  test('an x-request-id that is not printable is replaced', async () => {
    await start();
    for (const bad of ['a b', 'x'.repeat(129), 'ü']) {
      const response = await gateway.post(ask(), { 'x-request-id': bad });
      expect(response.headers.get('x-request-id')).toMatch(/^call_/);
    }
  });
});

describe('the other routes', () => {
  test('models lists the agents and targets that can answer now', async () => {
    await start({
      targets: {
        main: upstream.url,
        off: {
          url: '',
          provider: {
            ...makeSnapshot({ targets: { x: upstream.url } }).targets.get('x')?.provider,
            base_url: '',
          } as never,
        },
      },
      agents: { default: {}, lonely: { targets: ['off'] } },
    });
    const { data } = await gateway.client.models.list();
    expect(data.map(({ id }) => id)).toEqual(['default', 'main']);
    expect((await gateway.client.models.retrieve('main')).object).toBe('model');
    const missing = gateway.client.models.retrieve('off');
    await expect(missing).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    expect((await fetch(`${gateway.url}/v1/models/%zz`)).status).toBe(400);
  });

  test('ready says whether a call can be answered, and health that we are there', async () => {
    let ready = true;
    await start({}, { ready: () => ready, policyError: () => 'gateway.yaml:1:1 is bad' });
    const get = async (path: string) => {
      const response = await fetch(gateway.url + path);
      return { status: response.status, body: await response.json() };
    };
    expect(await get('/ready')).toMatchObject({
      status: 200,
      body: { status: 'ready', targets: ['main'], policy_error: 'gateway.yaml:1:1 is bad' },
    });
    ready = false;
    expect(await get('/ready')).toMatchObject({ status: 503, body: { status: 'unready' } });
    expect(await get('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('ready is 503 where no target can answer', async () => {
    await start({ targets: {} });
    const response = await fetch(`${gateway.url}/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ reason: 'no target can answer' });
  });

  test('feedback routes are served, and what they throw is answered', async () => {
    const feedbackRoutes = new Hono();
    feedbackRoutes.post('/feedback', (context) => context.json({ ok: true }, 202));
    feedbackRoutes.post('/api/v1/feedback/collect', () => {
      throw new GatewayError('overloaded', 'The journal is behind.');
    });
    await start({}, { feedbackRoutes });
    const accepted = await fetch(`${gateway.url}/feedback`, { method: 'POST', body: '{}' });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('x-request-id')).toMatch(/^call_/);
    const refused = await fetch(`${gateway.url}/api/v1/feedback/collect`, { method: 'POST' });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ error: { code: 'overloaded' } });
  });

  test('x-feedback is started beside the call, and told of as it stands', async () => {
    const heard: [string, Rater][] = [];
    let settled: 'accepted' | 'pending' | { rejected: string } = 'accepted';
    const feedbackHeader: GatewayDeps['feedbackHeader'] = {
      start(value, who) {
        heard.push([value, who]);
        return { settled: () => settled, done: Promise.resolve() };
      },
    };
    await start({}, { feedbackHeader });
    const told = async () => {
      const headers = { 'x-feedback': 'rating=5', 'x-session-id': 's1' };
      return (await gateway.post(ask(), headers)).headers.get('x-hive-feedback');
    };
    expect(await told()).toBe('accepted');
    settled = { rejected: 'bad\n"value\\' };
    expect(await told()).toBe('rejected; reason="bad?\\"value\\\\"');
    settled = 'pending';
    expect(await told()).toBeNull();
    expect(heard[0]?.[0]).toBe('rating=5');
    expect(heard[0]?.[1]).toMatchObject({
      tenant: 'default',
      key: 'open',
      agent: 'default',
      user: null,
    });
    expect(heard[0]?.[1].session).toBe((await gateway.event()).session);
  });
});
