import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../src/core/metrics.ts';
import { hedged } from '../../src/gateway/hedge.ts';
import type { HookRun } from '../../src/gateway/hooks/hooks.ts';
import { createProgress } from '../../src/gateway/hooks/progress.ts';
import type { Ticket } from '../../src/gateway/targets/live-target.ts';
import { type Trial, tryTarget } from '../../src/gateway/try-target.ts';
import type { Sink } from '../../src/gateway/upstream/upstream.ts';
import { message } from '../kit/anthropic-upstream.ts';
import { until } from '../kit/until.ts';
import { type Behaviour, startUpstream, status, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { anthropicAt, makeSnapshot, type ResilienceSpec } from './snapshot.ts';

/** USD 1 a million tokens in and 2 out: a token in is a micro-dollar. */
const price = { input_usd: 1, output_usd: 2 };

let first: Upstream;
let second: Upstream;
let claude: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [first, second, claude] = await Promise.all([startUpstream(), startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([first.close(), second.close(), claude.close()]));

async function start(names: readonly string[], resilience: ResilienceSpec = {}, priced = true) {
  const all = {
    first: { url: first.url, ...(priced ? { price } : {}) },
    claude: { provider: anthropicAt(claude.url), price },
    second: { url: second.url, price },
  };
  const targets = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  gateway = await startGateway(makeSnapshot({ targets, resilience }));
}

const usage = (prompt_tokens: number, completion_tokens: number) => ({
  usage: { prompt_tokens, completion_tokens },
});
const choices = [
  { index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' },
];
const good: Behaviour = status(200, { id: 'c', model: 'm', choices, ...usage(10, 20) });
const error = { message: 'no capacity', type: 'server_error' };
const paidError: Behaviour = status(200, { error, ...usage(10, 5) });

/** What `hive_cost_usd_total` has of each target. */
const counted = () =>
  Object.fromEntries(
    (gateway.metrics.snapshot().hive_cost_usd_total ?? []).map(({ labels, value }) => [
      labels[0],
      value,
    ]),
  );

test.each<[string, Behaviour]>([
  ['an error inside a 200', paidError],
  ['no choices', status(200, { id: 'c', ...usage(10, 5) })],
])('a failed attempt that reported usage costs what it says: %s', async (_what, behaviour) => {
  await start(['first', 'second']);
  first.script(behaviour);
  second.script(good);
  const response = await gateway.post(ask());
  expect(response.headers.get('x-hive-cost-usd')).toBe('0.00007');
  const event = await gateway.event();
  expect(event).toMatchObject({
    served: 'second',
    tokens: { in: 20, cached: 0, out: 25, estimated: false },
    cost_usd: 0.00007,
    attempts: [
      { target: 'first', outcome: 'error', tokens: { in: 10, out: 5 }, cost_usd: 0.00002 },
      { target: 'second', outcome: 'ok' },
    ],
  });
  expect(event.attempts[1]).not.toHaveProperty('tokens');
  expect(counted()).toEqual({ first: 0.00002, second: 0.00005 });
  // What an answer of a target usually costs is of answers that were given.
  expect(gateway.gateway.liveTargets().first?.lately?.cost_usd).toBeNull();
  expect(gateway.gateway.liveTargets().second?.lately?.cost_usd).toBe(0.00005);
});

test('a failed attempt that reported nothing adds nothing', async () => {
  await start(['first', 'second']);
  first.script(status(500));
  second.script(good);
  await gateway.post(ask());
  const event = await gateway.event();
  expect(event).toMatchObject({ tokens: { in: 10, out: 20 }, cost_usd: 0.00005 });
  expect(event.attempts[0]).not.toHaveProperty('tokens');
  expect(event.attempts[0]).not.toHaveProperty('cost_usd');
});

test('a call that nobody answered costs what its attempts reported', async () => {
  await start(['first', 'second']);
  first.script(paidError);
  second.script(paidError);
  await gateway.post(ask());
  const { outcome, served, tokens, cost_usd, attempts } = await gateway.event();
  expect([outcome, served]).toEqual(['error', null]);
  const paid = attempts.filter((one) => one.tokens !== undefined).length;
  expect(paid).toBeGreaterThanOrEqual(2);
  expect(tokens).toEqual({ in: 10 * paid, cached: 0, out: 5 * paid, estimated: false });
  expect(cost_usd).toBeCloseTo(0.00002 * paid, 12);
});

test('a call’s cost is unknown where a lost answer’s target has no price', async () => {
  await start(['first', 'second'], {}, false);
  first.script(paidError);
  second.script(good);
  await gateway.post(ask());
  const event = await gateway.event();
  expect(event).toMatchObject({ tokens: { in: 20, out: 25 }, cost_usd: null });
  expect(event.attempts[0]).toMatchObject({ tokens: { in: 10 }, cost_usd: null });
});

const spoken = { stream: true, stream_options: { include_usage: true } };

test('a stream that was held and cut costs what it had reported by then', async () => {
  await start(['claude', 'second'], { midstream: 'hold' });
  claude.script(message('one two three', { end: 'cut' }));
  const ended = { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
  const events = [ended, { id: 'c', choices: [], ...usage(10, 20) }];
  const raw = [...events.map((one) => JSON.stringify(one)), '[DONE]']
    .map((data) => `data: ${data}\n\n`)
    .join('');
  second.script(stream(['Hi', { raw }], { end: 'silent' }));
  const response = await gateway.post(ask('hi', spoken));
  expect(await response.text()).toContain('Hi');
  const { tokens, cost_usd, served, attempts } = await gateway.event();
  const [cut] = attempts;
  expect([cut?.outcome, served]).toEqual(['error', 'second']);
  const lost = cut?.tokens?.in ?? 0;
  expect(lost).toBeGreaterThan(0);
  expect(tokens).toMatchObject({ in: lost + 10, out: 20, estimated: false });
  expect(cost_usd).toBeCloseTo((lost + 10 + 40) / 1e6, 12);
});

test('a stream that is cut before the client’s eyes counts once, with all it said', async () => {
  await start(['claude']);
  claude.script(message('one two three', { end: 'cut' }));
  const response = await gateway.post(ask('hi', spoken));
  expect(await response.text()).toContain('"error"');
  const { tokens, cost_usd, attempts } = await gateway.event();
  expect(attempts).toHaveLength(1);
  expect(attempts[0]).not.toHaveProperty('tokens');
  // Anthropic had counted none at the beginning, and three words came.
  expect(tokens).toMatchObject({ out: 3, estimated: true });
  expect(tokens.in).toBeGreaterThan(0);
  expect(cost_usd).toBeCloseTo((tokens.in + 6) / 1e6, 12);
  expect(counted()).toEqual({ claude: cost_usd });
});

test('a client that leaves while its stream is held leaves what was reported', async () => {
  await start(['claude', 'second'], { midstream: 'hold' });
  claude.script(message('one two', { end: 'stall' }));
  const leaving = new AbortController();
  const asked = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ask('hi', spoken)),
    signal: leaving.signal,
  }).catch(() => null);
  // Requests count there as well; this one has some hundred bytes.
  const held = () => gateway.metrics.snapshot().hive_held_bytes?.[0]?.value ?? 0;
  await until(() => held() > 500, { what: 'some of the answer to be held' });
  leaving.abort();
  await asked;
  const { outcome, tokens } = await gateway.event();
  expect(outcome).toBe('aborted');
  expect(tokens.estimated).toBe(false);
  expect(tokens.in).toBeGreaterThan(0);
});

test('a hedge that lost after its answer had come costs what that reported', async () => {
  // Both answers come in one turn of the event loop, which no real upstream can be asked for.
  await start(['first', 'second']);
  const sinks: Sink[] = [];
  const progress = createProgress(0);
  const settled: string[] = [];
  const ticket = {
    settle: (how: string) => void settled.push(how),
    answering() {},
    slowness: () => null,
  } as unknown as Ticket;
  const { targets } = gateway.current.snapshot;
  const trialOf = (name: string): Trial =>
    ({
      run: {
        call: { endpoint: 'chat.completions', stream: false, body: {}, raw: Buffer.from('{}') },
        progress,
        plan: { view: { entry: { params: {} } } },
        entered: [],
      } as unknown as HookRun,
      deps: {
        clock: { monotonic_ms: () => 0 },
        metrics: createMetrics(),
        targets: { readLimits() {} },
        upstream: {
          send(_sent: unknown, sink: Sink) {
            sinks.push(sink);
            return { abort() {}, pause() {}, resume() {} };
          },
        },
      },
      target: targets.get(name),
      deadline_ms: 10_000,
    }) as unknown as Trial;
  const racing = hedged(tryTarget(trialOf('first'), ticket), {
    after_ms: 0,
    after: (run) => {
      run();
      return () => undefined;
    },
    failed: ({ kind }) => kind === 'failed',
    second: () => tryTarget(trialOf('second'), ticket),
    lost: () => undefined,
  });
  for (const sink of sinks) {
    sink.onHeaders(200, { 'content-type': 'application/json' });
    sink.onData(Buffer.from(JSON.stringify({ id: 'c', choices, ...usage(10, 5) })));
    sink.onEnd();
  }
  const winner = await racing.result;
  expect([sinks.length, winner.kind]).toEqual([2, 'answered']);
  const [loser] = progress.attempts;
  expect(loser).toMatchObject({ outcome: 'aborted', tokens: { in: 10, out: 5 }, cost_usd: 2e-5 });
  expect(settled).toEqual(['neutral']);
});
