import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Provider } from '../../src/core/provider.ts';
import { answer, type Behaviour, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { createHandClock } from './hand-clock.ts';
import { makeSnapshot, openAiAt, type SnapshotSpec } from './snapshot.ts';

/** What the policy has wrong: keys, names of models, base URLs. */
let primary: Upstream;
let backup: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [primary, backup] = await Promise.all([startUpstream(), startUpstream()]);
});
beforeEach(() => backup.script(answer('from the backup')));
afterEach(() => gateway.close());
afterAll(() => Promise.all([primary.close(), backup.close()]));

const start = async (more: Partial<SnapshotSpec> = {}) => {
  const targets = { primary: primary.url, backup: backup.url };
  gateway = await startGateway(makeSnapshot({ targets, ...more }));
};
/** What one call comes to, and how often each upstream was asked for it. */
const call = async (script: Behaviour) => {
  primary.script(script);
  const before = [primary.calls.length, backup.calls.length] as const;
  const got = await gateway.post(ask());
  const text = await got.text();
  const asked = [primary.calls.length - before[0], backup.calls.length - before[1]];
  return { status: got.status, headers: got.headers, text, asked };
};

describe('what only an operator can mend', () => {
  test('a wrong key is told of by the names of the policy, and never the key', async () => {
    const said = { error: { message: 'Incorrect API key provided: sk-upstream', type: 'x' } };
    await start();
    backup.script(status(401, said));
    const got = await call(status(401, said));
    expect(got).toMatchObject({ status: 502, asked: [1, 1] });
    expect(got.headers.get('x-should-retry')).toBe('false');
    expect(JSON.parse(got.text)).toMatchObject({
      error: {
        message: expect.stringMatching(/^Target primary, provider scripted: .*\(status 401\)\.$/),
        code: 'upstream_error',
      },
    });
    expect(got.text).not.toContain('sk-');
  });

  const unknown = (model: string) =>
    status(404, {
      error: {
        message: `The model \`${model}\` does not exist.`,
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      },
    });

  test('a model that its provider does not know goes on, and is told of once', async () => {
    await start({ resilience: { breaker: { failures: 2, calls_min: 2 } } });
    const asked: (readonly number[])[] = [];
    for (let one = 0; one < 4; one += 1) {
      const got = await call(unknown('m'));
      expect(got.status).toBe(200);
      asked.push(got.asked);
    }
    // For a while others are asked first, or each call would spend of the retry budget.
    expect(asked).toEqual([
      [1, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    expect(gateway.gateway.liveTargets().primary).toMatchObject({ breaker: 'closed' });
    const fields = { target: 'primary', provider: 'scripted', model: 'model-primary' };
    const message = 'a provider does not know a target’s model';
    expect(gateway.lines).toEqual([{ message, fields }]);
    const [series] = gateway.metrics.snapshot().hive_unknown_model_total ?? [];
    expect(series).toMatchObject({ labels: ['primary'], value: 1 });
  });

  test('models that no provider knows end in a clean 404, each time', async () => {
    await start();
    backup.script(unknown('other'));
    for (let one = 0; one < 3; one += 1) {
      const { status: code, text, headers } = await call(unknown('m'));
      expect(code).toBe(404);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'model_not_found' } });
      expect(headers.get('x-should-retry')).toBe('false');
    }
    expect(await gateway.event(2)).toMatchObject({ outcome: 'error' });
  });

  test('a failure that may pass is told before one that only an operator can mend', async () => {
    await start();
    backup.script(status(503));
    const got = await call(unknown('m'));
    expect(got).toMatchObject({ status: 503 });
    expect(got.headers.get('x-should-retry')).toBeNull();
  });

  test('a limit or an open breaker is told before what only an operator can mend', async () => {
    const breaker = { failures: 1, open_ms: 60_000 };
    await start({ resilience: { breaker, retry: { retries: 1, backoff_ms: [5000, 9000] } } });
    backup.script(status(429, undefined, { 'retry-after': '30' }));
    expect(await call(unknown('m'))).toMatchObject({ status: 429, asked: [1, 1] });
    const limited = await call(unknown('m'));
    expect(limited).toMatchObject({ status: 429, asked: [0, 0] });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(20);
    await gateway.close();
    await start({ resilience: { breaker, retry: { retries: 1 } } });
    backup.script(status(503));
    await call(status(503));
    backup.script(answer('late'));
    // Both are open: the least bad is asked, and it does not know its model any more.
    const open = await call(unknown('m'));
    expect(open).toMatchObject({ status: 503, asked: [1, 0] });
    expect(open.headers.get('retry-after')).toBe('1');
    expect(open.headers.get('x-should-retry')).toBeNull();
  });

  const redirect = (code: number) => status(code, '', { location: 'http://127.0.0.1:1/v1' });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is asked once by anybody', async (code) => {
    await start();
    backup.script(redirect(code));
    const got = await call(redirect(code));
    expect(got).toMatchObject({ status: 502, asked: [1, 1] });
    expect(got.headers.get('x-should-retry')).toBe('false');
    const why = `The upstream redirected (status ${code}); redirects are not followed.`;
    const message = `Target primary, provider scripted: ${why}`;
    expect(JSON.parse(got.text)).toMatchObject({ error: { message, code: 'upstream_error' } });
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 2 });
    const known = primary.calls.length;
    await expect(client.chat.completions.create(ask())).rejects.toMatchObject({ status: 502 });
    expect(primary.calls.length - known).toBe(1);
    const told = gateway.lines.filter(({ fields }) => fields.target === 'primary');
    const fields = { target: 'primary', provider: 'scripted' };
    expect(told).toEqual([{ message: 'a provider redirects: its base URL may be wrong', fields }]);
  });

  test('a redirect costs a call nothing where another target answers', async () => {
    await start();
    expect(await call(redirect(308))).toMatchObject({ status: 200, asked: [1, 1] });
  });

  test('a model that its provider has come to know is found again', async () => {
    const time = createHandClock();
    const targets = { primary: primary.url, backup: backup.url };
    gateway = await startGateway(makeSnapshot({ targets }), { clock: time.clock });
    expect((await call(unknown('m'))).asked).toEqual([1, 1]);
    time.advance(9_000);
    expect((await call(answer('now'))).asked).toEqual([0, 1]);
    time.advance(1_000);
    expect((await call(answer('now'))).asked).toEqual([1, 0]);
  });

  test('a 404 of what the client’s body refers to is the client’s', async () => {
    await start();
    const error = { message: 'File not found: file_1', type: 'not_found_error' };
    expect(await call(status(404, { error }))).toMatchObject({ status: 404, asked: [1, 0] });
  });
});

test('a provider’s code that throws is in the log with its place, and told to nobody', async () => {
  const provider: Provider = {
    ...openAiAt(primary.url),
    decode: () => {
      throw new Error('a mistake of its author');
    },
  };
  await start({ targets: { primary: { provider }, backup: backup.url } });
  const got = await call(answer('hi'));
  expect(got).toMatchObject({ status: 200, asked: [1, 1] });
  expect(JSON.parse(got.text)).toMatchObject({
    choices: [{ message: { content: 'from the backup' } }],
  });
  expect(gateway.lines).toEqual([
    {
      message: 'a provider’s code failed at an answer',
      fields: {
        target: 'primary',
        provider: 'scripted',
        error: expect.stringMatching(/^Error: a mistake of its author\n +at .*misconfigured/),
      },
    },
  ]);
});
