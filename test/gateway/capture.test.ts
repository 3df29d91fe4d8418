import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { CapturedBodies } from '../../src/core/prompt/proposal-policy.ts';
import type { PromptSample } from '../../src/core/prompt/sample.ts';
import { createCapture } from '../../src/gateway/capture.ts';
import { answer, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
let samples: PromptSample[] = [];

beforeAll(async () => {
  upstream = await startUpstream(answer('Write to help@shop.example, we answer.'));
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const ALL: CapturedBodies = { mode: 'on', share: 1, bytes_max: 2000, kept_max: 10, days: 1 };

async function start(bodies?: CapturedBodies): Promise<void> {
  samples = [];
  const snapshot = makeSnapshot({ targets: { main: upstream.url } });
  const capture = { feedback_text: true, ...(bodies ? { bodies } : {}) };
  gateway = await startGateway(
    { ...snapshot, policy: { ...snapshot.policy, capture } },
    {
      capture: createCapture({
        clock: { monotonic_ms: () => performance.now() },
        metrics: { add() {}, set() {}, observe() {}, snapshot: () => ({}) },
        send: (sample) => void samples.push(sample),
      }),
    },
  );
}

test('capture keeps the turns as sent, and the answer, whole or streamed', async () => {
  await start(ALL);
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: [{ type: 'text', text: 'hello' }] },
  ];
  for (const stream of [false, true]) {
    const headers = { 'x-user-id': 'ann' };
    const response = await gateway.post({ model: 'default', messages, stream }, headers);
    await response.text();
  }
  const events = [await gateway.event(1), await gateway.event(2)];
  expect(samples.map(({ call }) => call)).toEqual(events.map(({ id }) => id));
  const [first] = samples;
  expect(first?.turns).toEqual([
    { role: 'system', text: 'Be kind.' },
    { role: 'user', text: 'hello' },
  ]);
  expect(samples.map((one) => one.answer)).toEqual(Array(2).fill(first?.answer));
  expect(first).toMatchObject({ served: 'main', agent: 'default', unit: events[0]?.unit });
  expect(JSON.stringify(samples)).not.toContain('"ann"');
});

test('capture redacts where the policy says so', async () => {
  await start({ ...ALL, mode: 'redacted' });
  await (await gateway.post(ask('I am ann@example.org, call 030 1234 5678 90'))).text();
  await gateway.event(1);
  expect(samples[0]?.turns[0]?.text).toBe('I am [email], call [phone]');
  expect(samples[0]?.answer).toContain('[email]');
});

test('capture keeps nothing where it is off; no event, log or metric has a word', async () => {
  await start();
  await (await gateway.post(ask('my secret pineapple'))).text();
  await gateway.event(1);
  expect(samples).toEqual([]);
  await gateway.close();
  await start(ALL);
  await (await gateway.post(ask('my secret pineapple'))).text();
  await gateway.event(1);
  expect(samples).toHaveLength(1);
  const told = JSON.stringify([gateway.bus.records, gateway.lines, gateway.metrics.snapshot()]);
  expect(told).not.toContain('pineapple');
});

test.each([
  ['what its sender wants stored nowhere', ask('hi'), { 'x-hive-store': 'no' }],
  ['a body with store: false', ask('hi', { store: false }), {}],
  ['what is longer than the bound', ask('long '.repeat(500)), {}],
  ['calls with tools', ask('hi', { tools: [{ type: 'function', function: { name: 'f' } }] }), {}],
])('capture does not keep %s', async (_what, body, headers) => {
  await start(ALL);
  await (await gateway.post(body, headers as Record<string, string>)).text();
  await gateway.event(1);
  expect(samples).toEqual([]);
});

test('capture keeps no failed call, and none beyond its rate', async () => {
  await start(ALL);
  upstream.script(status(400));
  await (await gateway.post(ask('bad'))).text();
  upstream.script(answer('fine'));
  for (let call = 0; call < 50; call += 1) await (await gateway.post(ask(`n ${call}`))).text();
  await gateway.event(51);
  expect(samples.length).toBeGreaterThanOrEqual(20);
  expect(samples.length).toBeLessThanOrEqual(45);
  expect(samples.some(({ turns }) => turns[0]?.text === 'bad')).toBe(false);
});
