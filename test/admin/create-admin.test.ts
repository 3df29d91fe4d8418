import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAdmin } from '../../src/admin/create-admin.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { aReport, postJson, type RunningAdmin, send, startAdmin } from './admin-kit.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('createAdmin guards', () => {
  let running: RunningAdmin;
  beforeEach(async () => {
    running = await startAdmin();
  });
  afterEach(() => running.admin.close());

  const tick = (headers: Record<string, string>) =>
    send(running.port, 'POST', '/api/v1/oracle/tick', headers);

  test.each(['localhost', 'localhost:8092', '127.0.0.1:1', '[::1]:8092', 'LOCALHOST'])(
    'createAdmin serves the host %s',
    async (host) => {
      expect((await tick({ host })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'evil.example:8092',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost.',
    'localhost@evil.example',
    'localhost, evil.example',
    'localhost:8092:1',
    '127.0.0.1/..',
  ])('createAdmin refuses the host %s on reads and writes alike', async (host) => {
    for (const method of ['GET', 'POST']) {
      const path = method === 'GET' ? '/status' : '/api/v1/oracle/tick';
      const answer = await send(running.port, method, path, { host });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text).error.code).toMatch(/^(invalid_host|bad_request)$/);
    }
    expect(running.oracle.ledger.cycles.size).toBe(0);
  });

  test('createAdmin refuses an absolute request target whatever the Host header says', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      let heard = '';
      const socket = connect(running.port, '127.0.0.1', () => {
        socket.write(
          'POST http://evil.example/api/v1/oracle/tick HTTP/1.1\r\nHost: localhost\r\n' +
            'Connection: close\r\nContent-Length: 0\r\n\r\n',
        );
      });
      socket.on('data', (chunk) => {
        heard += chunk.toString();
      });
      socket.on('end', () => resolve(heard));
      socket.on('error', reject);
    });
    expect(text).toContain('HTTP/1.1 400');
    expect(running.oracle.ledger.cycles.size).toBe(0);
  });

  test.each<Record<string, string>>([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:3000', host: 'localhost:8092' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('createAdmin refuses a change asked for by %j', async (headers) => {
    const answer = await tick({ host: 'localhost', ...headers });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text).error.code).toBe('forbidden');
    expect(running.oracle.ledger.cycles.size).toBe(0);
  });

  test('createAdmin lets its own page and plain tools change things', async () => {
    const own = { host: 'localhost:8092', origin: 'http://localhost:8092' };
    expect((await tick({ ...own, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await tick({ 'sec-fetch-site': 'none' })).status).toBe(200);
  });

  test.each(['0.0.0.0', '::', '192.168.1.4', 'hive.example'])(
    'createAdmin refuses to be reachable on %s while it asks for no credential',
    (host) => {
      expect(() => createAdmin({ ...running.deps, host })).toThrow(/no credentials yet/);
    },
  );

  test('createAdmin says which port is taken and what to set', async () => {
    const second = createAdmin({ ...running.deps, port: running.port });
    await expect(second.listen()).rejects.toThrow(
      new RegExp(`127.0.0.1:${running.port}: the port is in use; .*HIVE_ADMIN_PORT`),
    );
  });

  test.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=1', 415],
    ['no content type', {}, '{}', 415],
    ['a compressed body', { ...JSON_TYPE, 'content-encoding': 'gzip' }, '{}', 415],
    ['half a body', JSON_TYPE, '{"plan":', 400],
    ['bytes that are no text', JSON_TYPE, Buffer.from([0x22, 0xff, 0x22]), 400],
    ['endless nesting', JSON_TYPE, '['.repeat(100_000) + ']'.repeat(100_000), 400],
    ['5 MiB', JSON_TYPE, JSON.stringify('x'.repeat(5 * 1024 * 1024)), 413],
  ])('createAdmin refuses %s with its own shape of error', async (_name, headers, body, status) => {
    const answer = await send(running.port, 'POST', '/api/v1/oracle/validate', headers, body);
    expect(answer.status).toBe(status);
    const { error } = JSON.parse(answer.text);
    expect(Object.keys(error)).toEqual(['code', 'message', 'param', 'details']);
  });

  test('createAdmin counts a body that does not say its length', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 5; index += 1) controller.enqueue(new Uint8Array(1024 * 1024));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: JSON_TYPE, body, duplex: 'half' } as RequestInit;
    const response = await fetch(`${running.url}/api/v1/oracle/validate`, init);
    expect(response.status).toBe(413);
  });

  test('createAdmin answers unknown paths 404, wrong methods 405 with those allowed', async () => {
    const lost = await fetch(`${running.url}/api/v1/oracle/nothing`);
    expect(lost.status).toBe(404);
    expect(await lost.json()).toMatchObject({ error: { code: 'not_found' } });
    const wrong = await fetch(`${running.url}/api/v1/oracle/tick`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
    expect(await wrong.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
    const gone = await fetch(`${running.url}/status`, { method: 'DELETE' });
    expect(gone.headers.get('allow')).toBe('GET, HEAD');
  });

  test('createAdmin gives every answer a request id, the client’s where it is valid', async () => {
    const own = await fetch(`${running.url}/health`, { headers: { 'x-request-id': 'abc-1' } });
    expect(own.headers.get('x-request-id')).toBe('abc-1');
    const ours = await fetch(`${running.url}/nothing`, { headers: { 'x-request-id': 'a b' } });
    expect(ours.headers.get('x-request-id')).toMatch(/^req_[0-9a-f-]{36}$/);
  });

  test('createAdmin hides what an unforeseen failure says, and logs it once', async () => {
    const logged: string[] = [];
    const log = {
      ...running.deps.log,
      error: (message: string, fields?: object) =>
        void logged.push(`${message} ${JSON.stringify(fields)}`),
    };
    const oracle = {
      ...running.deps.oracle,
      analyze: () => Promise.reject(new Error('password=hunter2')),
    };
    const broken = await startAdmin({ oracle, log });
    const response = await postJson(broken.url, '/analyze', {});
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hunter2');
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('hunter2');
    expect(logged[0]).toContain(response.headers.get('x-request-id'));
    await broken.admin.close();
  });
});

describe('createAdmin state', () => {
  test('status says what runs, what waits and what is wrong', async () => {
    const running = await startAdmin({
      report: () =>
        aReport({
          frozen: true,
          policy_error: 'gateway.yaml:3:1 x: unknown key',
          plugins: { guard: { calls: 8, ms: 2, bypassed: 1, open: ['a'] } },
        }),
    });
    await postJson(running.url, '/plan', { mutations: [] });
    const status = await (await fetch(`${running.url}/status`)).json();
    expect(status).toMatchObject({
      versions: { hive: '0.1.0', policy: 'abcdef0123456789', epoch: 3 },
      ready: true,
      problems: [],
      policy_error: 'gateway.yaml:3:1 x: unknown key',
      frozen: true,
      agents: { helpful_assistant: { targets: { demo: 1 } } },
      children: { engine: { state: 'running', restarts: 1 } },
      targets: { demo: { breaker: 'closed' } },
      plugins: {
        guard: { use: 'guardrail', calls: 8, us_a_call: 250, bypassed: 1, open: ['a'] },
        router: { calls: 0, us_a_call: null, bypassed: 0, open: [] },
      },
      canaries: [],
      plans_waiting: [{ id: 'plan_1' }],
      journal: { lag_bytes: 12 },
      store: { kind: 'pglite', ok: true },
      time: { scale: 60 },
      data_dir: '/data',
    });
    await running.admin.close();
  });

  test('status and ready answer while the store hangs, and say so', async () => {
    const never = new Promise<never>(() => {});
    const running = await startAdmin({
      store: { kind: 'postgres', check: () => never },
      report: () => null,
      limits: { look_ms: 20 },
    });
    const ready = await fetch(`${running.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ready: false,
      reasons: ['the store gave no answer within 20 ms', 'the gateway has not been heard of yet'],
    });
    const status = await (await fetch(`${running.url}/status`)).json();
    expect(status).toMatchObject({ ready: false, frozen: null, store: { ok: false } });
    expect((await fetch(`${running.url}/health`)).status).toBe(200);
    await running.admin.close();
  });

  test('metrics adds the gateway’s series to the worker’s', async () => {
    const gateway = createMetrics();
    const worker = createMetrics();
    gateway.add('hive_calls_total', ['a', 'ok'], 3);
    gateway.set('hive_events_waiting', 2);
    worker.set('hive_events_waiting', 5);
    const running = await startAdmin({
      metrics: worker,
      report: () => aReport({ metrics: gateway.snapshot() }),
    });
    const response = await fetch(`${running.url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await response.text();
    expect(text).toContain('hive_calls_total{agent="a",outcome="ok"} 3\n');
    expect(text).toContain('hive_events_waiting 7\n');
    await running.admin.close();
  });

  test('the page rolls tables that a narrow window has no room for, and counts well', async () => {
    const running = await startAdmin({ report: () => aReport({ calls_open: 1 }) });
    const page = await (await fetch(running.url)).text();
    expect(page.match(/<table>/g)?.length).toBeGreaterThan(2);
    expect(page.match(/<div class="(wide|rolls)"><table>/g)).toHaveLength(
      page.match(/<table>/g)?.length ?? 0,
    );
    expect(page).toContain('; 1 call is open.');
    await running.admin.close();
  });

  test('the page says in words what waits and how to approve it, and runs nothing', async () => {
    const running = await startAdmin();
    const patch = { agents: { helpful_assistant: { prompt: '<script>alert(1)</script>' } } };
    await postJson(running.url, '/plan', {
      mutations: [{ type: 'PROMPT_PATCH', agent: 'helpful_assistant', patch }],
    });
    const response = await fetch(`${running.url}/`);
    const page = await response.text();
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    // A browser lets a style in by the hash of exactly what stands between its tags.
    const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? '';
    expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(page).not.toContain('<script');
    expect(page).toContain('npx hive approve plan_1');
    expect(page).toContain('serves policy abcdef012345');
    expect(page).toContain('OPENAI_API_KEY is not set');
    expect(page).not.toContain('<meter');
    const approved = await postJson(running.url, '/plans/plan_1/approve', {});
    await postJson(running.url, '/execute', (await approved.json()) as object);
    const trial = await (await fetch(`${running.url}/`)).text();
    expect(trial).toContain('canary at 5 % <meter value="0.05">');
    expect(trial).toMatch(/npx hive rollback rollback_\w+/);
    expect(trial).not.toContain('<script');
    await running.admin.close();
  });
});
