import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import { definition } from '../../src/plugins/model-router.ts';
import { message } from '../kit/anthropic-upstream.ts';
import { until } from '../kit/until.ts';
import type { Upstream } from '../kit/upstream.ts';
import { answer, type Behaviour, stall, startUpstream, status, stream } from '../kit/upstream.ts';
import { pluginHost } from '../plugins/recording-scope.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { anthropicAt, makeSnapshot, type ResilienceSpec } from './snapshot.ts';

let cheap: Upstream;
let better: Upstream;
let best: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [cheap, better, best] = await Promise.all([startUpstream(), startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([cheap.close(), better.close(), best.close()]));

const price = { input_usd: 1, output_usd: 2 };
const order = ['cheap', 'better'];

interface World {
  readonly cascade?: object;
  readonly resilience?: ResilienceSpec;
  readonly third?: boolean;
  /** The first one speaks Anthropic's dialect. */
  readonly anthropic?: boolean;
}

async function start(world: World = {}) {
  const { cascade = {}, resilience = {}, third = false, anthropic = false } = world;
  const options = { strategy: 'cascade', cascade: { order, ...cascade } };
  const router = { id: 'router', plugin: instantiate(definition, options, pluginHost) };
  const targets = {
    cheap: { ...(anthropic ? { provider: anthropicAt(cheap.url) } : { url: cheap.url }), price },
    better: { url: better.url, price },
    ...(third ? { best: { url: best.url, price } } : {}),
  };
  gateway = await startGateway(makeSnapshot({ targets, plugins: [router], resilience }));
  cheap.script(answer(''));
  better.script(answer('a good answer'));
  best.script(answer('the best answer'));
}

const tokens = (prompt_tokens: number, completion_tokens: number) => ({
  prompt_tokens,
  completion_tokens,
});
const whole = (content: string, usage: object, finish_reason = 'stop'): Behaviour =>
  status(200, {
    id: 'c1',
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason }],
    usage,
  });

describe('escalation', () => {
  test('escalation gives the client the second answer alone, and the event says why', async () => {
    await start();
    cheap.script(whole('cut', tokens(10, 5), 'length'));
    better.script(whole('a good answer', tokens(10, 20)));
    const response = await gateway.post(ask());
    expect(response.headers.get('x-hive-attempts')).toBe('2');
    expect(response.headers.get('x-hive-target')).toBe('better');
    expect(response.headers.get('x-hive-cost-usd')).toBe('0.00007');
    expect(JSON.stringify(await response.json())).not.toContain('cut');
    const event = await gateway.event();
    expect(event).toMatchObject({
      outcome: 'ok',
      intended: 'cheap',
      served: 'better',
      finish: 'stop',
      arm_error: false,
      tokens: { in: 20, cached: 0, out: 25, estimated: false },
      cost_usd: 0.00007,
      attempts: [
        { target: 'cheap', outcome: 'ok' },
        { target: 'better', outcome: 'ok' },
      ],
      escalations: [
        {
          target: 'cheap',
          plugin: 'router',
          reason: 'truncated',
          tokens: { in: 10, out: 5 },
          cost_usd: 0.00002,
          given: false,
        },
      ],
    });
    expect(event.markers).toContain('escalated:router:truncated');
    const [counted] = gateway.metrics.snapshot().hive_escalations_total ?? [];
    expect(counted).toMatchObject({ labels: ['router', 'next'], value: 1 });
    const { cheap: own, better: other } = gateway.gateway.liveTargets();
    expect([own?.lately?.cost_usd, own?.lately?.tokens_out]).toEqual([0.00002, 5]);
    expect([other?.lately?.cost_usd, other?.lately?.tokens_out]).toEqual([0.00005, 20]);
  });

  test('escalation lets an answer that passes go out, and asks nobody else', async () => {
    await start();
    cheap.script(answer('quite all right'));
    const known = better.calls.length;
    const response = await gateway.post(ask());
    expect(await response.text()).toContain('quite all right');
    expect(better.calls).toHaveLength(known);
    const event = await gateway.event();
    expect(event.escalations).toBeUndefined();
    expect(event.markers).toEqual([]);
  });

  test('escalation of a stream sends nothing of the first, the second as it comes', async () => {
    await start();
    cheap.script(stream(['  ']));
    better.script(stream(['one ', 'two'], { delay_ms: 20 }));
    const response = await gateway.post(ask('hi', { stream: true }));
    const text = await response.text();
    expect(text).toContain('one ');
    expect(text).not.toContain('"  "');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    // Nobody looks at the last answer, so it is not held.
    expect(gateway.metrics.snapshot().hive_held_total).toMatchObject([
      { labels: ['complete'], value: 1 },
    ]);
    const event = await gateway.event();
    expect(event).toMatchObject({ served: 'better', escalations: [{ reason: 'empty' }] });
    await until(() => gateway.gateway.liveTargets().better?.in_flight === 0, { what: 'the end' });
  });

  test('escalation replays a held stream that passes as the stream that it was', async () => {
    await start();
    cheap.script(stream(['fine ', 'so far']));
    const chunks = [];
    const streamed = await gateway.client.chat.completions.create({
      ...ask('hi'),
      stream: true,
    });
    for await (const chunk of streamed) chunks.push(chunk.choices[0]?.delta.content ?? '');
    expect(chunks.join('')).toBe('fine so far');
    expect(await gateway.event()).toMatchObject({ served: 'cheap', tokens: { estimated: false } });
  });

  test('escalation gives the last answer where all fail, checked or not', async () => {
    await start({ cascade: { order: [...order, 'best'] }, third: true });
    better.script(answer(''));
    best.script(answer(' '));
    const response = await gateway.post(ask());
    expect(response.headers.get('x-hive-target')).toBe('best');
    const event = await gateway.event();
    expect(event.escalations?.map(({ target }) => target)).toEqual(['cheap', 'better']);
  });

  test.each([
    ['an error', status(500)],
    ['a refusal of the request', status(400)],
    ['a stall', stall()],
  ])('escalation to %s gives the answer in hand', async (_name, behaviour) => {
    await start({ resilience: { retry: { retries: 1, budget: 1, backoff_ms: [1, 2] } } });
    cheap.script(whole('short', tokens(3, 4), 'length'));
    better.script(behaviour);
    const response = await gateway.post(ask(), { 'x-hive-timeout-ms': '400' });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('short');
    const event = await gateway.event();
    expect(event).toMatchObject({
      outcome: 'ok',
      served: 'cheap',
      finish: 'length',
      tokens: { in: 3, out: 4 },
      cost_usd: 0.000011,
      escalations: [{ target: 'cheap', given: true }],
    });
    expect(event.markers).toContain('escalation:fell_back');
  });

  test('escalation of a stream whose next target is down replays the one in hand', async () => {
    await start();
    cheap.script(stream(['I cannot ', 'help with that.']));
    better.script(status(503));
    const text = await (await gateway.post(ask('hi', { stream: true }))).text();
    expect(text).toContain('I cannot ');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'ok', served: 'cheap' });
    expect(event.tokens.out).toBe(3);
  });

  test('escalation is no retry: without any it still asks the next one', async () => {
    await start({ resilience: { retry: { retries: 0, budget: 0, backoff_ms: [1, 2] } } });
    const response = await gateway.post(ask());
    expect(response.headers.get('x-hive-target')).toBe('better');
  });

  test.each([
    ['most', { most: 0, budget: 1 }, 12],
    ['budget', { most: 2, budget: 0 }, 12],
  ])('escalation ends where its own limit (%s) is reached', async (_name, escalation, calls) => {
    await start({ resilience: { escalation } });
    const known = better.calls.length;
    for (let call = 0; call < calls; call += 1) {
      const response = await gateway.post(ask());
      expect(response.headers.get('x-hive-target')).toBe('cheap');
    }
    expect(better.calls).toHaveLength(known);
  });

  test('escalation gives a stream that is too long to hold as it comes', async () => {
    await start({ resilience: { hold_bytes_max: 1024 } });
    const words = Array.from({ length: 40 }, (_, at) => `word${at} `);
    cheap.script(stream(words));
    const text = await (await gateway.post(ask('hi', { stream: true }))).text();
    expect(text).toContain('word39');
    const event = await gateway.event();
    expect(event).toMatchObject({ served: 'cheap', markers: ['escalation:too_long'] });
  });

  test('escalation that the client leaves ends at the upstream and gives nothing', async () => {
    await start();
    better.script(stall());
    const known = better.calls.length;
    const leaving = new AbortController();
    const calling = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(ask('hi', { stream: true })),
      signal: leaving.signal,
    });
    await until(() => better.calls[known], { what: 'the second call' });
    leaving.abort();
    await expect(calling).rejects.toThrow();
    await until(() => better.calls[known]?.aborted, { what: 'the upstream’s end' });
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'aborted', escalations: [{ given: false }] });
    expect(event.tokens.in).toBeGreaterThan(0);
    await until(() => gateway.gateway.liveTargets().cheap?.in_flight === 0, { what: 'the end' });
  });

  test('escalation tells what was dropped for the answer that is given, and no other', async () => {
    await start({ anthropic: true });
    cheap.script(message(' '));
    const asked = () => gateway.post(ask('hi', { logit_bias: { 1: 2 } }));
    const other = await asked();
    expect(other.headers.get('x-hive-target')).toBe('better');
    expect(other.headers.get('x-hive-notes')).toBeNull();
    better.script(status(500));
    const own = await asked();
    expect(own.headers.get('x-hive-target')).toBe('cheap');
    expect(own.headers.get('x-hive-notes')).toContain('logit_bias');
  });

  test('escalation leaves pinned calls and other endpoints alone', async () => {
    await start();
    const response = await gateway.post(ask(), { 'x-hive-target': 'cheap' });
    expect(response.headers.get('x-hive-target')).toBe('cheap');
  });
});
