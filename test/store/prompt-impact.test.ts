import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { wilsonInterval } from '../../src/core/statistics.ts';
import { applyBatch } from '../../src/store/apply.ts';
import type { Store } from '../../src/store/open.ts';
import { promptImpact } from '../../src/store/prompt-impact.ts';
import { batchOf, callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => emptyStore(store));

const apply = async (...records: readonly JournalRecord[]) => {
  const metrics = createMetrics();
  await applyBatch(store, batchOf(...records), { metrics, log: silentLog });
  return metrics.snapshot();
};

describe('promptImpact', () => {
  test('promptImpact counts units, not calls, of each version and of none', async () => {
    const call = (id: string, unit: string, version: number | null, cost: number) =>
      callEvent(id, {
        unit,
        markers: version === null ? ['x'] : ['x', `prompt:tone@${version}`],
        cost_usd: cost,
        tokens: {
          in: 100,
          cached: version === 2 ? 0 : 50,
          out: 10 * (version ?? 1),
          estimated: false,
        },
        finish: unit === 'u:0' ? 'content_filter' : 'stop',
        ...(unit === 'u:2' && version === 2 ? { signals: { refusal: 'en' } } : {}),
        arm_error: unit === 'u:1',
      });
    const records = [null, 1, 2].flatMap((version) =>
      Array.from({ length: 20 }, (_, unit) =>
        Array.from({ length: unit === 0 ? 5 : 1 }, (__, turn) =>
          call(`call_${version}-${unit}-${turn}`, `u:${unit}`, version, unit === 0 ? 1 : 3),
        ),
      ).flat(),
    );
    const ratings = [0, 1, 2, 3].map((unit) =>
      feedbackEvent(`fb_${unit}.rating`, {
        call: `call_2-${unit}-0`,
        rater: `u:${unit}`,
        value: unit === 0 ? 1 : 5,
      }),
    );
    await apply(...records, ...ratings);
    const [none, one, two, ...rest] = await promptImpact(store.db, 'tone', {
      since_ms: 0,
      // USD 3 a million tokens more where they are not cached.
      prices: { demo: 3e-6 },
    });
    expect(rest).toEqual([]);
    expect([none?.version, one?.version, two?.version]).toEqual([null, 1, 2]);
    expect(two).toMatchObject({
      calls: 24,
      units: 20,
      errors: { n: 1, units: 20, rate: 0.05, interval: wilsonInterval(1, 20) },
      // One that the provider's filter stopped, and one whose answer the rules knew as a refusal.
      refusals: { n: 2, units: 20 },
      dissatisfied: { n: 1, units: 4, rate: 0.25 },
      rating: { units: 4, mean: 4, interval: null },
      cached_share: 0,
      latency_p95_ms: 10,
    });
    // One unit of 20 costs 1 however often it called, the others 3.
    expect(two?.cost_usd.mean).toBeCloseTo(2.9);
    const [low = 0, high = 0] = two?.cost_usd.interval ?? [];
    expect([low, high].map((end) => Number(end.toFixed(3)))).toEqual([2.704, 3.096]);
    expect(one?.cached_share).toBe(0.5);
    expect(one?.refusals).toMatchObject({ n: 1, units: 20 });
    expect(one?.cached).toEqual({ units: 20, mean: 0.5, interval: [0.5, 0.5] });
    expect(two?.cached).toMatchObject({ units: 20, mean: 0, interval: [0, 0] });
    // Half of 100 tokens are usually cached, of version 2 none: 50 × 3 micro-dollars a call.
    expect(two?.lost_cache_usd.mean).toBeCloseTo(150e-6, 12);
    expect(two?.lost_cache_usd.units).toBe(20);
    expect(one?.lost_cache_usd.mean).toBeCloseTo(0, 12);
    expect(none?.lost_cache_usd).toEqual({ units: 0, mean: null, interval: null });
    const unpriced = await promptImpact(store.db, 'tone', { since_ms: 0, prices: {} });
    expect(unpriced[2]?.lost_cache_usd).toEqual({ units: 0, mean: null, interval: null });
    expect(one?.tokens_out.mean).toBe(10);
    expect(two?.tokens_out.mean).toBe(20);
  });

  test('applied calls are counted by target and adapter, off the calls’ own path', async () => {
    const choice = { name: 'model-router', options: ['a', 'b'], probabilities: [0.5, 0.5] };
    const decisions = [
      { ...choice, chosen: 'b', intended: 'b' },
      { ...choice, name: 'memory', chosen: 'a', intended: 'a' },
    ];
    const counted = await apply(
      callEvent('call_1', { decisions, adapter: 'upper' }),
      callEvent('call_2', { decisions, markers: ['lora-hotplug:unknown'] }),
    );
    const routes = counted.hive_routes_total?.map(({ labels, value }) => [labels[1], value]);
    expect(routes).toEqual([['b', 2]]);
    const [applied] = counted.hive_adapters_applied_total ?? [];
    expect(applied).toMatchObject({ labels: ['upper'], value: 1 });
    const [skipped] = counted.hive_adapters_skipped_total ?? [];
    expect(skipped).toMatchObject({ labels: ['unknown'], value: 1 });
  });

  test('promptImpact leaves out what is old, synthetic, rejected or of other prompts', async () => {
    const markers = ['prompt:tone@1'];
    const counted = await apply(
      callEvent('call_1', { markers, at_ms: NOON_MS - 10 }),
      callEvent('call_2', { markers, origin: 'probe' }),
      callEvent('call_3', { markers, outcome: 'rejected' }),
      callEvent('call_4', { markers: ['prompt:tone.it@1', 'prompt-patcher:no_match'] }),
    );
    const applied = { labels: ['tone@1'], value: 3 };
    expect(counted.hive_prompts_applied_total?.[0]).toMatchObject(applied);
    const skipped = [{ labels: ['no_match'], value: 1 }];
    expect(counted.hive_prompts_skipped_total).toMatchObject(skipped);
    expect(await promptImpact(store.db, 'tone', { since_ms: NOON_MS, prices: {} })).toEqual([]);
    expect(await promptImpact(store.db, 'tone', { since_ms: 0, prices: {} })).toMatchObject([
      { version: null, calls: 1 },
      { version: 1, calls: 1 },
    ]);
  });
});
