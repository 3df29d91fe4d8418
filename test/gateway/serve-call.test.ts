import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answer, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
afterEach(() => gateway.close());

const start = async (more: Partial<Parameters<typeof makeSnapshot>[0]> = {}) => {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }));
  return gateway;
};

describe('a whole call', () => {
  test('chat answers the unmodified client with the bytes of the upstream', async () => {
    await start();
    upstream.script(answer('good morning'));
    const completion = await gateway.client.chat.completions.create(ask());
    expect(completion.choices[0]?.message.content).toBe('good morning');
    expect(completion._request_id).toMatch(/^call_/);
  });

  test('chat tells who it was and who answered in the headers', async () => {
    await start({ version: 'v-abc' });
    upstream.script(answer('x'));
    const response = await gateway.post(ask(), { 'x-request-id': 'mine-1' });
    expect(response.status).toBe(200);
    const header = (name: string) => response.headers.get(name);
    expect(header('x-request-id')).toBe('mine-1');
    expect(header('x-hive-call-id')).toMatch(/^call_[0-9a-f-]{36}$/);
    expect(header('x-hive-version')).toBe('v-abc');
    expect(header('x-hive-target')).toBe('main');
    expect(header('x-hive-attempts')).toBe('1');
    expect(Number(header('x-hive-overhead-ms'))).toBeGreaterThanOrEqual(0);
    expect(header('openai-processing-ms')).toMatch(/^\d+$/);
    expect(header('x-hive-arm')).toBeNull();
    expect(header('x-hive-lora')).toBeNull();
  });

  test('chat keeps the client’s own headers and the gateway’s from the upstream', async () => {
    await start();
    upstream.script(answer('x'));
    const headers = {
      authorization: 'Bearer client',
      cookie: 'a=b',
      'x-user-id': 'u',
      'x-agent-id': 'default',
    };
    await gateway.post(ask(), headers);
    const sent = upstream.calls.at(-1)?.headers ?? {};
    expect(sent.authorization).toBe('Bearer sk-upstream');
    expect(Object.keys(sent).filter((name) => name.startsWith('x-') || name === 'cookie')).toEqual(
      [],
    );
  });

  test('chat passes fields it does not know on, byte for byte', async () => {
    await start();
    upstream.script(answer('x'));
    await gateway.post(
      '{"model":"default", "big":12345678901234567890,"messages":[],"n\\u0065w":null }',
    );
    const raw = upstream.calls.at(-1)?.raw.toString();
    expect(raw).toContain('"big":12345678901234567890');
    expect(raw).toContain('"n\\u0065w":null');
  });

  test('chat sends the agent’s params where the client sent none', async () => {
    await start({ agents: { default: { entry: { params: { temperature: 0.2, top_p: 0.9 } } } } });
    upstream.script(answer('x'));
    await gateway.post(ask('hi', { temperature: null }));
    expect(upstream.calls.at(-1)?.body).toMatchObject({ temperature: null, top_p: 0.9 });
  });

  test('chat records the call with hashed ids and real tokens', async () => {
    await start({ version: 'v-abc' });
    upstream.script(answer('two words'));
    await gateway.post(ask('hi', { user: 'anna' }), { 'x-session-id': 's1' });
    const event = await gateway.event();
    expect(event).toMatchObject({
      type: 'call',
      agent: 'default',
      version: 'v-abc',
      outcome: 'ok',
      intended: 'main',
      served: 'main',
      arm_error: false,
      experiment: null,
      finish: 'stop',
      tokens: { estimated: false },
      attempts: [{ target: 'main', outcome: 'ok', error: null }],
    });
    expect(event.unit).toMatch(/^u:[\w-]{32}$/);
    expect(event.session).toMatch(/^[\w-]{32}$/);
    expect(JSON.stringify(event)).not.toContain('anna');
  });

  test('chat passes an upstream’s own error on with its status', async () => {
    await start();
    upstream.script(
      status(400, {
        error: {
          message: 'too long',
          type: 'invalid_request_error',
          param: 'messages',
          code: 'context_length_exceeded',
        },
      }),
    );
    const failed = await gateway.client.chat.completions
      .create(ask())
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
    });
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'error', arm_error: true, served: null });
  });

  test('chat tells the client when to come back after a rate limit', async () => {
    await start();
    upstream.script(status(429, undefined, { 'retry-after': '30' }));
    const response = await gateway.post(ask());
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('30');
    expect(response.headers.get('x-should-retry')).toBeNull();
  });
});

describe('a stream', () => {
  test('chat streams to the unmodified client, without the usage it did not ask for', async () => {
    await start();
    upstream.script(answer('one two three'));
    const stream = await gateway.client.chat.completions.create(
      ask('hi', { stream: true }) as never,
    );
    const chunks: { choices: { delta: { content?: string } }[] }[] = [];
    for await (const chunk of stream as unknown as AsyncIterable<(typeof chunks)[number]>)
      chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(
      'one two three',
    );
    expect(chunks.every((chunk) => chunk.choices.length > 0)).toBe(true);
    const event = await gateway.event();
    expect(event.tokens.estimated).toBe(false);
    expect(event.ttft_ms).toBeGreaterThan(0);
    expect(event.attempts[0]?.ttft_ms).toBeGreaterThan(0);
  });

  test('chat gives the usage chunk to the client that asked for it', async () => {
    await start();
    upstream.script(answer('one'));
    const response = await gateway.post(
      ask('hi', { stream: true, stream_options: { include_usage: true } }),
    );
    const text = await response.text();
    expect(text).toContain('"usage":{');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('x-hive-target')).toBe('main');
  });
});
