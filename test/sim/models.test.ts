import { expect, test } from 'vitest';
import {
  answerOf,
  conditionOf,
  normalCdf,
  satisfactionOf,
  strengthOf,
} from '../../src/sim/models.ts';
import { createRandom } from '../../src/sim/random.ts';
import { smallWorld } from './world-kit.ts';

const DAY_MS = 86_400_000;
const plain = { model: 'a', prompt: null, adapter: null };

test('a happening grows over its ramp, stays, and ends', () => {
  const { scenario } = smallWorld({
    happenings: [{ day: 1, until: 3, ramp_hours: 24, model: 'a', latency: 4 }],
  });
  const [drift] = scenario.happenings;
  if (!drift) throw new Error('no happening');
  expect([0.5, 1.5, 2.5, 3].map((day) => strengthOf(drift, day * DAY_MS))).toEqual([0, 0.5, 1, 0]);
  expect(conditionOf(scenario, plain, 'chat', 1.5 * DAY_MS).latency_ms).toBeCloseTo(1000);
  expect(conditionOf(scenario, { ...plain, model: 'b' }, 'chat', 2 * DAY_MS).latency_ms).toBe(500);
});

test('a prompt and an adapter change quality, by intent where they say so', () => {
  const { scenario } = smallWorld({
    prompts: { 'kind@1': { quality: 0.05, by_category: { code: -0.4 } } },
    adapters: { loud: { errors: 0.2 } },
  });
  const served = { model: 'a', prompt: 'kind@1', adapter: 'loud' };
  expect(conditionOf(scenario, served, 'chat', 0).quality).toBeCloseTo(0.95);
  expect(conditionOf(scenario, served, 'code', 0).quality).toBeCloseTo(0.5);
  expect(conditionOf(scenario, served, 'chat', 0).errors).toBeCloseTo(0.21);
});

test('answers satisfy as often as the omniscient reckons', () => {
  const { scenario } = smallWorld();
  const condition = { ...conditionOf(scenario, plain, 'chat', 0), errors: 0.1 };
  const patience_ms = 600;
  const luck = createRandom(5, 'answers');
  const answers = Array.from({ length: 20_000 }, () => answerOf(condition, luck.fork(), 0));
  const good = answers.filter((one) => one.good && one.latency_ms <= patience_ms).length;
  expect(good / answers.length).toBeCloseTo(satisfactionOf(condition, patience_ms, 0), 2);
  expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
});

test('the same luck meets every model alike', () => {
  const { scenario } = smallWorld();
  const condition = conditionOf(scenario, plain, 'chat', 0);
  const luck = createRandom(5, 'one');
  const fast = answerOf(condition, luck.clone(), 0);
  const slow = answerOf({ ...condition, latency_ms: 1000 }, luck.clone(), 0);
  expect(slow.latency_ms).toBeCloseTo(2 * fast.latency_ms);
  expect([slow.good, slow.error, slow.tokens_out]).toEqual([
    fast.good,
    fast.error,
    fast.tokens_out,
  ]);
});
