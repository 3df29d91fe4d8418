import { afterEach, expect, test } from 'vitest';
import { createMetrics } from '../../src/core/metrics.ts';
import { createTargets, type Targets } from '../../src/gateway/targets.ts';
import { until } from '../kit/until.ts';
import { makeSnapshot, openAiAt } from './snapshot.ts';

let targets: Targets;
afterEach(() => targets.close());

const metrics = createMetrics();
const policy = { errors: 0.5, calls_min: 3, open_ms: 50 };
const targetAt = (url: string) => {
  const target = makeSnapshot({ targets: { main: url } }).targets.get('main');
  if (!target) throw new Error('no target');
  return target;
};
const main = targetAt('http://127.0.0.1:1/v1');
const fail = (times: number, given = policy) => {
  for (let time = 0; time < times; time += 1) targets.admit(main, given, false)?.settle('failed');
  return new Promise(setImmediate);
};
const breaker = () => targets.state(main).breaker;

test('targets opens a breaker after enough failures and refuses further calls', async () => {
  targets = createTargets(metrics);
  await fail(2);
  expect(breaker()).toBe('closed');
  await fail(1);
  expect(breaker()).toBe('open');
  expect(targets.healthy(main, policy)).toBe(false);
  expect(targets.admit(main, policy, false)).toBeNull();
  expect(metrics.snapshot().hive_breaker_open?.[0]).toMatchObject({ labels: ['main'], value: 1 });
});

test('targets lets one probe at a time through, and closes on its first byte', async () => {
  targets = createTargets(metrics);
  await fail(3);
  await until(() => breaker() === 'half-open', { what: 'the breaker to half open' });
  const probe = targets.admit(main, policy, false);
  expect(probe).not.toBeNull();
  expect(targets.healthy(main, policy)).toBe(false);
  expect(targets.admit(main, policy, false)).toBeNull();
  probe?.answering();
  await new Promise(setImmediate);
  expect(breaker()).toBe('closed');
  expect(targets.state(main).in_flight).toBe(1);
  probe?.settle('ok');
  probe?.settle('ok');
  expect(targets.state(main).in_flight).toBe(0);
});

test('targets keeps a breaker open when its probe says nothing', async () => {
  targets = createTargets(metrics);
  await fail(3);
  await until(() => breaker() === 'half-open', { what: 'the breaker to half open' });
  targets.admit(main, policy, false)?.settle('neutral');
  await new Promise(setImmediate);
  expect(breaker()).not.toBe('closed');
  await until(() => targets.healthy(main, policy), { what: 'the next probe' });
});

test('targets counts what neither failed nor answered for nothing', async () => {
  targets = createTargets(metrics);
  for (let time = 0; time < 20; time += 1) targets.admit(main, policy, false)?.settle('neutral');
  await new Promise(setImmediate);
  expect(breaker()).toBe('closed');
});

test('targets keeps a breaker open across a swap that tunes it', async () => {
  targets = createTargets(metrics);
  await fail(3, { ...policy, open_ms: 60_000 });
  const tuned = { ...policy, calls_min: 5, open_ms: 60_000 };
  expect(targets.healthy(targetAt('http://127.0.0.1:1/v1'), tuned)).toBe(false);
  expect(targets.healthy(targetAt('http://127.0.0.1:2/v1'), tuned)).toBe(true);
});

test('targets takes an engine without an address for absent', () => {
  targets = createTargets(metrics);
  const absent = { ...main, provider: { ...openAiAt('http://127.0.0.1:1/v1'), base_url: '' } };
  expect(targets.healthy(absent, policy)).toBe(false);
  expect(targets.state(absent).breaker).toBe('absent');
});

test('targets closes a breaker when a call that was forced through is answered', async () => {
  targets = createTargets(metrics);
  await fail(3, { ...policy, open_ms: 60_000 });
  targets.admit(main, { ...policy, open_ms: 60_000 }, true)?.settle('ok');
  expect(breaker()).toBe('closed');
});
