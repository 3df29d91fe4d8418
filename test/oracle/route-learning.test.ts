import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../src/core/call.ts';
import type { JournalRecord } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Policy } from '../../src/core/policy.ts';
import { encodeFeatures } from '../../src/core/routing/call-context.ts';
import {
  type ContextModel,
  type ContextScorer,
  createContextScorer,
  scoreContext,
} from '../../src/core/routing/context-model.ts';
import { promptFeatures } from '../../src/core/routing/prompt-features.ts';
import { RouterOptions } from '../../src/core/routing/router-options.ts';
import type { Feed } from '../../src/core/state.ts';
import { createRouteLearning, rewardOf } from '../../src/oracle/route-learning.ts';
import { applyBatch } from '../../src/store/apply.ts';
import type { Store } from '../../src/store/open.ts';
import { batchOf, callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';

const decision = (chosen: string, more: Partial<Decision> = {}): Decision => ({
  name: 'model-router',
  options: ['mini', 'big'],
  probabilities: [0.5, 0.5],
  chosen,
  intended: chosen,
  ...more,
});
const call = (id: string, target: string, more: object = {}, choice: Partial<Decision> = {}) =>
  callEvent(id, { served: target, decisions: [decision(target, choice)], ...more });

function policyWith(options: object): Policy {
  return {
    plugins: { order: ['router'], by: { router: { use: 'model-router', options } } },
    agents: {
      default: { targets: { mini: 1, big: 1, spare: 0 }, plugins: {} },
      other: { targets: { mini: 1 }, plugins: { router: { strategy: 'weighted' } } },
    },
    targets: {
      mini: { fallback_only: false },
      big: { fallback_only: false },
      spare: { fallback_only: true },
    },
  } as unknown as Policy;
}

describe('route learning', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(() => store.close());
  beforeEach(() => emptyStore(store));
  const apply = (...records: JournalRecord[]) =>
    applyBatch(store, batchOf(...records), { metrics: createMetrics(), log: silentLog });

  function learning(options: object, late_ms = 3_600_000) {
    const feeds: Feed[] = [];
    const learned = createRouteLearning({
      db: store.db,
      log: silentLog,
      policy: () => policyWith(options),
      policy_ms: () => NOON_MS + late_ms,
      publish: (feed) => void feeds.push(feed),
    });
    return { feeds, learned };
  }

  test('a reward is what the policy says, and a call of which nobody spoke has none', () => {
    const seen = { target: 'big', category: '', ok: true, latency_ms: 2000, said: null };
    const of = (bandit: object, cost_usd: number | null = null): number | null =>
      rewardOf(
        { ...seen, tokens_in: 1000, tokens_out: 500, cost_usd },
        RouterOptions.parse({ bandit, facts: { big: { input_usd: 1, output_usd: 2 } } }),
      );
    expect(of({})).toBe(1);
    expect(of({ reward: 'feedback' })).toBeNull();
    const costly = { latency_weight: 0.1, cost_weight: 100 };
    expect(of(costly)).toBeCloseTo(1 - 0.2 - 0.2, 12);
    // What the call's event says it cost is exact, and nothing is a price as well.
    expect(of(costly, 0.003)).toBeCloseTo(1 - 0.2 - 0.3, 12);
    expect(of(costly, 0)).toBeCloseTo(1 - 0.2, 12);
  });

  test('learning gives a target that fails the floor, by matured calls alone', async () => {
    const calls = Array.from({ length: 60 }, (_, at) =>
      at % 2 === 0
        ? call(`a${at}`, 'mini', { unit: `u:${at}` })
        : call(`a${at}`, 'big', { outcome: 'error', unit: `u:${at}` }),
    );
    await apply(...calls);
    const early = learning({ strategy: 'bandit' }, 60_000);
    await early.learned.tick();
    expect(early.feeds[0]?.data.default?.by['']?.every((share) => share > 0.4)).toBe(true);

    const { feeds, learned } = learning({ strategy: 'bandit' });
    await learned.tick();
    await learned.tick();
    // The second tick knew nothing new.
    expect(feeds).toHaveLength(1);
    expect(Object.keys(feeds[0]?.data ?? {})).toEqual(['default']);
    expect(feeds[0]?.data.default).toMatchObject({ targets: ['big', 'mini'] });
    const [big = 1, mini = 0] = feeds[0]?.data.default?.by[''] ?? [];
    expect(big).toBeCloseTo(0.02, 2);
    expect(mini).toBeCloseTo(0.98, 2);
    const [report] = learned.reports();
    expect(report).toMatchObject({ agent: 'default', reward: 'success', rewards: 60 });
    const believed = report?.categories[0]?.targets.find(({ target }) => target === 'mini');
    expect(believed?.mean).toBeGreaterThan(0.9);
    expect(believed?.low).toBeLessThan(believed?.mean ?? 0);
  });

  test('learning lets one loud user weigh as much as twenty rewards', async () => {
    const rated = (id: string, target: string, unit: string, [value, at]: [number, number]) => [
      call(id, target, { unit, at_ms: NOON_MS + at }),
      feedbackEvent(`f${id}`, { call: id, signal: 'rating', value, rater: unit }),
    ];
    const many = Array.from({ length: 40 }, (_, at) => [
      ...rated(`m${at}`, 'mini', `u:${at}`, [5, at]),
      ...rated(`b${at}`, 'big', `u:${at}`, [2, at]),
    ]);
    // The loud one, who comes last, loves what all others do not, and hates what they like.
    const loud = Array.from({ length: 150 }, (_, at) => [
      ...rated(`x${at}`, 'big', 'u:loud', [5, 100 + at]),
      ...rated(`y${at}`, 'mini', 'u:loud', [1, 100 + at]),
    ]);
    await apply(...many.flat(), ...loud.flat());
    const shareOf = async (user_max: number): Promise<number> => {
      const { learned } = learning({
        strategy: 'bandit',
        bandit: { reward: 'feedback', user_max },
      });
      await learned.tick();
      const targets = learned.reports()[0]?.categories[0]?.targets ?? [];
      return targets.find(({ target }) => target === 'mini')?.share ?? 0;
    };
    expect(await shareOf(20)).toBeGreaterThan(0.9);
    expect(await shareOf(1_000_000)).toBeLessThan(0.1);
  });

  test('learning with context publishes a model of calls’ features', async () => {
    const texts = { mini: 'def f(x): return {x: [1]}; y_z = x;', big: 'Where is the station?' };
    const calls = Array.from({ length: 400 }, (_, at) => {
      const [kind, other] = at % 2 === 0 ? (['mini', 'big'] as const) : (['big', 'mini'] as const);
      const asked = at % 4 < 2 ? kind : other;
      const x = promptFeatures(texts[kind]);
      const outcome = asked === kind ? 'ok' : 'error';
      return call(`k${at}`, asked, { unit: `u:${at}`, outcome }, { features: encodeFeatures(x) });
    });
    const { feeds, learned } = learning({ strategy: 'linucb', bandit: { discount: 1 } });
    await learned.tick();
    expect(feeds[0]?.data.default?.model).toBeUndefined();
    await apply(...calls);
    await learned.tick();
    const model = feeds[1]?.data.default?.model as ContextModel;
    const scorer = createContextScorer(JSON.parse(JSON.stringify(model)) as ContextModel);
    for (const kind of ['mini', 'big'] as const) {
      const x = promptFeatures(texts[kind]);
      const { means } = scoreContext(scorer as ContextScorer, x, '', ['big', 'mini'], true);
      expect(means[kind === 'big' ? 0 : 1]).toBeGreaterThan(0.9);
      expect(means[kind === 'big' ? 1 : 0]).toBeLessThan(0.1);
    }
    const [report] = learned.reports();
    expect(report).toMatchObject({ strategy: 'linucb', rewards: 400, left_out: 0 });
    const effects = report?.strongest?.mini ?? [];
    expect(effects[0]?.low).toBeGreaterThan(0);
    expect(report?.categories[0]?.targets.map(({ n }) => n)).toEqual([200, 200]);
  });

  test('learning with context and a stop says whether looking at calls pays', async () => {
    const calls = Array.from({ length: 600 }, (_, at) => {
      const [kind, other] = at % 2 === 0 ? (['mini', 'big'] as const) : (['big', 'mini'] as const);
      // Nine of ten go to the target of their kind, and were drawn so.
      const asked = at % 20 < 18 ? kind : other;
      const probabilities = kind === 'mini' ? [0.9, 0.1] : [0.1, 0.9];
      const outcome = asked === kind ? 'ok' : 'error';
      return call(`w${at}`, asked, { unit: `u:${at}`, outcome }, { probabilities });
    });
    // A choice of one among three says nothing of an agent with two.
    const odd = { options: ['mini', 'big', 'old'], probabilities: [0.4, 0.4, 0.2] };
    await apply(...calls, call('odd', 'mini', { unit: 'u:odd' }, odd));
    const { learned } = learning({ strategy: 'squarecb', bandit: { stop: {} } });
    await learned.tick();
    const [report] = learned.reports();
    expect(report).toMatchObject({ rewards: 601, worth: { units: 600, verdict: 'context' } });
    const [least] = report?.worth?.over ?? [];
    // It earns 0.9, each target alone 0.5.
    expect(least?.interval?.[0]).toBeLessThan(0.4);
    expect(least?.interval?.[1]).toBeGreaterThan(0.4);
    const without = learning({ strategy: 'squarecb' });
    await without.learned.tick();
    expect(without.learned.reports()[0]).not.toHaveProperty('worth');
  });

  test('learning says who is proven best, and gives it all but the floors if asked', async () => {
    const calls = Array.from({ length: 400 }, (_, at) =>
      at % 2 === 0
        ? call(`p${at}`, 'mini', { unit: `u:${at}` })
        : call(`p${at}`, 'big', { unit: `u:${at}`, outcome: at % 4 === 1 ? 'ok' : 'error' }),
    );
    await apply(...calls);
    const { feeds, learned } = learning({
      strategy: 'bandit',
      bandit: { stop: { on_proven: 'exploit' } },
    });
    await learned.tick();
    expect(learned.reports()[0]?.proven).toMatchObject([
      {
        category: '',
        target: 'mini',
        exploited: true,
        mean: 1,
        next: { target: 'big', mean: 0.5 },
      },
    ]);
    expect(feeds[0]?.data.default?.by['']).toEqual([0.02, 0.98]);
  });

  test('learning publishes nothing without a bandit, and survives a store that fails', async () => {
    const { feeds, learned } = learning({ strategy: 'fastest' });
    await learned.tick();
    expect(feeds).toEqual([]);
    const broken = createRouteLearning({
      db: {} as Store['db'],
      log: silentLog,
      policy: () => policyWith({ strategy: 'bandit' }),
      policy_ms: () => 0,
      publish: () => {
        throw new Error('nothing is published');
      },
    });
    await broken.tick();
    expect(broken.reports()).toEqual([]);
  });
});
