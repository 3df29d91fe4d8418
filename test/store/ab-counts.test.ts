import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AbEntry } from '../../src/core/ab/entry.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { abCounts } from '../../src/store/ab-counts.ts';
import { applyBatch } from '../../src/store/apply.ts';
import type { Store } from '../../src/store/open.ts';
import { entryOf } from '../core/ab/traffic.ts';
import { batchOf, callEvent } from '../kit/events.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';
import { serveAb } from '../oracle/ab-traffic.ts';
import { POLICY } from '../oracle/kit.ts';
import { createWorld, HOUR_MS, type World } from '../oracle/world.ts';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => emptyStore(store));

async function running(over: Partial<AbEntry>): Promise<{ world: World; entry: AbEntry }> {
  const arms = { control: { share: 0.5 }, kind: { share: 0.5, set: { prompt: 'tone@2' } } };
  const entry = entryOf({ agent: 'solo', arms, ...over });
  const world = createWorld(store, { ...POLICY, experiments: { tone: entry } });
  await world.oracle.tendExperiments();
  return { world, entry };
}

const countsAt = (world: World, entry: AbEntry, now_ms = world.now_ms) =>
  abCounts(store.db, world.state().ab?.[0]?.id ?? '', entry, { now_ms, maturity_ms: HOUR_MS / 2 });

describe('abCounts', () => {
  test('counts units once, and takes the mean of units, each of its own calls', async () => {
    const { world, entry } = await running({ metric: 'latency', also: ['cost', 'tokens_out'] });
    const visit = (_arm: string, user: number) => ({
      failed: user === 3,
      latency_ms: user === 1 ? 100 : 50,
      cost_usd: 0.002,
      tokens_out: user === 2 ? 30 : 10,
    });
    const shared = { name: 'tone', over_ms: 1000, visit };
    const first = await serveAb(world, { ...shared, users: 40 });
    await serveAb(world, { ...shared, users: 40 });
    const counts = await countsAt(world, entry);
    for (const arm of ['control', 'kind']) {
      expect(counts[arm]?.units.assigned).toBe(first[arm]);
    }
    const errors = (counts.control?.units.error ?? 0) + (counts.kind?.units.error ?? 0);
    expect(errors).toBe(1);
    const { latency, cost, tokens_out } = counts.kind?.means ?? {};
    expect((latency?.n ?? 0) + (counts.control?.means.latency?.n ?? 0)).toBe(39);
    expect(Math.exp(latency?.mean ?? 0)).toBeGreaterThanOrEqual(49.99);
    expect(cost?.mean).toBeCloseTo(0.002, 9);
    expect(cost?.variance).toBeCloseTo(0, 12);
    expect(tokens_out?.mean).toBeGreaterThanOrEqual(10);
  });

  test('counts what was said once it is half an hour old', async () => {
    const { world, entry } = await running({ metric: 'rating', also: ['dissatisfied'] });
    const visit = (_arm: string, user: number) => ({ rating: user % 2 === 0 ? 1 : 5 });
    await serveAb(world, { name: 'tone', users: 60, over_ms: 1000, visit });
    const young = await countsAt(world, entry);
    expect(young.kind?.units.rated).toBeUndefined();
    expect(young.kind?.means.rating).toBeUndefined();
    const old = await countsAt(world, entry, world.now_ms + HOUR_MS);
    const n = (event: string): number =>
      (old.control?.units[event] ?? 0) + (old.kind?.units[event] ?? 0);
    expect([n('rated'), n('dissatisfied')]).toEqual([60, 30]);
    const sum = ['control', 'kind'].reduce((total, arm) => {
      const { n: units = 0, mean = 0 } = old[arm]?.means.rating ?? {};
      return total + units * mean;
    }, 0);
    expect(sum).toBeCloseTo(30 * 1 + 30 * 5, 6);
  });

  test('forgets what a rater has thought better of', async () => {
    const { world, entry } = await running({ metric: 'rating', also: ['dissatisfied'] });
    const visit = () => ({ rating: 1, again: 4 });
    await serveAb(world, { name: 'tone', users: 20, over_ms: 1000, visit });
    const counts = await countsAt(world, entry, world.now_ms + HOUR_MS);
    for (const arm of ['control', 'kind']) {
      expect(counts[arm]?.units.dissatisfied).toBeUndefined();
      expect(counts[arm]?.means.rating?.mean).toBeCloseTo(4, 9);
    }
  });

  test('takes the unit that is drawn, for calls and for what is said of them', async () => {
    const { world, entry } = await running({ unit: 'session', metric: 'rating' });
    const visit = () => ({ rating: 3 });
    const session = (user: number): string => `session-${user % 10}`;
    await serveAb(world, { name: 'tone', users: 50, over_ms: 1000, visit, session });
    const counts = await countsAt(world, entry, world.now_ms + HOUR_MS);
    const units = (event: string): number =>
      (counts.control?.units[event] ?? 0) + (counts.kind?.units[event] ?? 0);
    expect([units('assigned'), units('rated'), units('ratings')]).toEqual([10, 10, 10]);
  });

  test('counts what an answer in the background has cost once it is told', async () => {
    const { world, entry } = await running({ metric: 'cost', also: ['tokens_out'] });
    const experiment = world.state().ab?.[0]?.id ?? '';
    const tokens = { in: 0, cached: 0, out: 0, estimated: true };
    const calls = ['a', 'b'].map((id) =>
      callEvent(id, {
        at_ms: world.now_ms,
        agent: 'solo',
        experiment,
        arm: 'kind',
        share: 0.5,
        unit: `u:${id}`,
        user: id,
        tokens,
        finish: null,
      }),
    );
    const deps = { metrics: createMetrics(), log: silentLog };
    await applyBatch(store, batchOf(...calls), deps);
    const before = await countsAt(world, entry);
    expect(before.kind?.units.assigned).toBe(2);
    expect([before.kind?.means.cost, before.kind?.means.tokens_out]).toEqual([
      undefined,
      undefined,
    ]);
    const told = {
      type: 'usage',
      v: 1,
      at_ms: world.now_ms,
      call: 'a',
      tenant: 'default',
    } as const;
    const spent = { in: 10, cached: 0, out: 40, estimated: false };
    const usage = { ...told, tokens: spent, cost_usd: 0.002 };
    await applyBatch(store, batchOf(usage), deps);
    await applyBatch(store, batchOf(usage), deps);
    const { kind } = await countsAt(world, entry);
    expect(kind?.units.assigned).toBe(2);
    expect(kind?.means.cost).toMatchObject({ n: 1, mean: expect.closeTo(0.002, 9) as number });
    expect(kind?.means.tokens_out).toMatchObject({ n: 1, mean: expect.closeTo(40, 6) as number });
  });

  test('takes the cost that the call’s event says, and leaves out a call without one', async () => {
    const facts = { demo: { input_usd: 1, output_usd: 10 } };
    const by = {
      router: { use: 'model-router', on_error: 'skip' as const, budget_ms: 5, options: { facts } },
    };
    const { world, entry } = await running({ metric: 'cost' });
    // What a router is told of prices is for its choices: it says nothing of what a call cost.
    world.policy = { ...world.policy, plugins: { order: ['router'], by } };
    await world.oracle.tendExperiments();
    const visit = (_arm: string, user: number) => ({ cost_usd: user % 2 === 0 ? 3e-4 : null });
    await serveAb(world, { name: 'tone', users: 20, over_ms: 1000, visit });
    const { control, kind } = await countsAt(world, entry);
    expect((control?.means.cost?.n ?? 0) + (kind?.means.cost?.n ?? 0)).toBe(10);
    expect(kind?.means.cost?.mean).toBeCloseTo(3e-4, 9);
  });
});
