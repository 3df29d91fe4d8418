import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../../src/core/metrics.ts';
import type { Resilience } from '../../../src/core/policy.ts';
import { createTargets, type Targets } from '../../../src/gateway/targets/targets.ts';
import { createHandClock, type HandClock } from '../hand-clock.ts';
import { makeSnapshot, openAiAt, type TargetSpec } from '../snapshot.ts';

let time: HandClock;
let metrics: Metrics;
let targets: Targets;

beforeEach(() => {
  time = createHandClock();
  metrics = createMetrics();
  const monotonic_ms = () => time.clock.monotonic_ms();
  targets = createTargets({ metrics, monotonic_ms, after: time.after });
});
afterEach(() => targets.close());

const policyOf = (breaker: Partial<Resilience['breaker']> = {}): Resilience =>
  makeSnapshot({
    targets: {},
    resilience: { breaker: { failures: 1000, calls_min: 3, open_ms: 1000, ...breaker } },
  }).policy.resilience;
const policy = policyOf();
const targetAt = (url: string, more: TargetSpec = {}) => {
  const target = makeSnapshot({ targets: { main: { url, ...more } } }).targets.get('main');
  if (!target) throw new Error('no target');
  return target;
};
const main = targetAt('http://127.0.0.1:1/v1');
/** opossum hears of an attempt a turn later. */
const heard = () => new Promise(setImmediate);
const fail = async (times: number, given = policy) => {
  for (let one = 0; one < times; one += 1) targets.admit(main, given)?.settle('failed');
  await heard();
};
const breaker = () => targets.state(main).breaker;

test('targets opens a breaker after enough failures and refuses further calls', async () => {
  await fail(2);
  expect(breaker()).toBe('closed');
  await fail(1);
  expect(breaker()).toBe('open');
  expect(targets.healthy(main, policy.breaker)).toBe(false);
  expect(targets.admit(main, policy)).toBeNull();
  expect(metrics.snapshot().hive_breaker_open?.[0]).toMatchObject({ labels: ['main'], value: 1 });
});

test('targets lets one probe at a time through, and closes on its first byte', async () => {
  await fail(3);
  time.advance(750);
  expect(breaker()).toBe('half-open');
  const probe = targets.admit(main, policy);
  expect(probe).not.toBeNull();
  expect(targets.healthy(main, policy.breaker)).toBe(false);
  expect(targets.admit(main, policy)).toBeNull();
  probe?.answering();
  expect(breaker()).toBe('closed');
  expect(targets.state(main).in_flight).toBe(1);
  probe?.settle('ok');
  probe?.settle('ok');
  expect(targets.state(main).in_flight).toBe(0);
});

test('targets keeps a breaker open when its probe says nothing, for the next', async () => {
  await fail(3);
  time.advance(750);
  targets.admit(main, policy)?.settle('neutral');
  await heard();
  expect(breaker()).toBe('half-open');
  expect(targets.healthy(main, policy.breaker)).toBe(true);
});

test('targets counts what neither failed nor answered for nothing', async () => {
  for (let one = 0; one < 20; one += 1) targets.admit(main, policy)?.settle('neutral');
  await heard();
  expect(breaker()).toBe('closed');
});

test('targets keeps a breaker open across a swap that tunes it', async () => {
  await fail(3, policyOf({ open_ms: 60_000 }));
  const tuned = policyOf({ calls_min: 5, open_ms: 60_000 }).breaker;
  expect(targets.healthy(targetAt('http://127.0.0.1:1/v1'), tuned)).toBe(false);
  expect(targets.healthy(targetAt('http://127.0.0.1:2/v1'), tuned)).toBe(true);
});

test('targets takes an engine without an address for absent', () => {
  const absent = { ...main, provider: { ...openAiAt('http://127.0.0.1:1/v1'), base_url: '' } };
  expect(targets.healthy(absent, policy.breaker)).toBe(false);
  expect(targets.state(absent).breaker).toBe('absent');
  expect(targets.standing(absent, policy)).toBe('absent');
});

test('targets closes a breaker when a call that was forced through is answered', async () => {
  await fail(3);
  targets.admit(main, policy, { force: true })?.settle('ok');
  expect(breaker()).toBe('closed');
});

test('targets forces calls through an open breaker at a bounded rate', async () => {
  await fail(3, policyOf({ open_ms: 60_000 }));
  const forced = () => {
    const tickets = Array.from({ length: 50 }, () =>
      targets.admit(main, policyOf({ open_ms: 60_000 }), { force: true }),
    );
    for (const ticket of tickets) ticket?.settle('failed');
    return tickets.filter((ticket) => ticket !== null).length;
  };
  expect(forced()).toBe(5);
  time.advance(1000);
  expect(forced()).toBe(2);
});

test('targets leaves one alone as long as its provider’s limit says, breaker closed', () => {
  targets.admit(main, policy)?.settle('neutral');
  targets.limit(main, policy, 3);
  expect(targets.standing(main, policy)).toBe('limited');
  expect(targets.admit(main, policy, { force: true })).toBeNull();
  expect(targets.state(main)).toMatchObject({ breaker: 'closed', limited: true });
  expect(targets.healthy(main, policy.breaker)).toBe(true);
  time.advance(2999);
  expect(targets.limited_ms(main)).toBe(1);
  time.advance(1);
  expect(targets.standing(main, policy)).toBe('ready');
});

test('targets holds to a target’s own number, and lets the next in when one is over', async () => {
  const narrow = targetAt('http://127.0.0.1:3/v1', { in_flight: 2 });
  const first = targets.admit(narrow, policy);
  targets.admit(narrow, policy)?.answering();
  expect(targets.standing(narrow, policy)).toBe('full');
  expect(targets.admit(narrow, policy)).toBeNull();
  const waiting = targets.wait(narrow, policy, Infinity);
  expect(targets.state(narrow)).toMatchObject({ in_flight: 2, queue: 1, limit: 2 });
  expect(targets.state(narrow).first_byte_ms).toBeNull();
  first?.settle('ok');
  expect(await waiting?.admitted).toBe(true);
  const third = targets.admit(narrow, policy, waiting ? { waited: waiting } : {});
  expect(third).not.toBeNull();
  expect(targets.state(narrow)).toMatchObject({ in_flight: 2, queue: 0 });
  third?.settle('ok');
  expect(targets.standing(narrow, policy)).toBe('ready');
});

test('targets bounds only calls without a first byte where the limit is adaptive', () => {
  for (let one = 0; one < 1000; one += 1) targets.admit(main, policy)?.answering();
  expect(targets.standing(main, policy)).toBe('ready');
  for (let one = 0; one < 1000; one += 1) targets.admit(main, policy);
  expect(targets.standing(main, policy)).toBe('full');
});

test('targets tells an operator of the same trouble once a minute', () => {
  targets.admit(main, policy)?.settle('neutral');
  expect([targets.alarm(main), targets.alarm(main)]).toEqual([true, false]);
  time.advance(60_000);
  expect(targets.alarm(main)).toBe(true);
});
