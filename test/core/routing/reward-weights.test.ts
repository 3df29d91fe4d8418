import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proveRoutes, sinceChanges } from '../../../src/core/routing/proven-routes.ts';
import { createRandom } from '../../../src/core/routing/random.ts';
import {
  type RoutedReward,
  rewardChanges,
  rewardWeights,
} from '../../../src/core/routing/reward-weights.ts';
import { cappedByUnit } from '../../../src/core/routing/user-cap.ts';

function drawn(
  count: number,
  seed: number,
  rateOf: (target: string, at: number) => number,
): readonly RoutedReward[] {
  const random = createRandom(`rewards:${seed}`);
  return Array.from({ length: count }, (_, at) => {
    const target = random.uniform() < 0.5 ? 'a' : 'b';
    return { category: '', target, reward: Number(random.uniform() < rateOf(target, at)) };
  });
}

describe('reward changes', () => {
  test('reward changes are found soon after a target got worse, at about the place', () => {
    const rewards = drawn(700, 2, (target, at) => (target === 'a' && at >= 600 ? 0.3 : 0.8));
    const [change, ...others] = rewardChanges(rewards);
    expect(others).toEqual([]);
    expect(change?.target).toBe('a');
    expect(change?.at).toBeGreaterThan(560);
    expect(change?.at).toBeLessThan(640);
  });

  test('reward changes are false alarms in at most one in a hundred quiet lists', () => {
    const alarms = Array.from({ length: 200 }, (_, seed) =>
      rewardChanges(drawn(1000, seed, (target) => (target === 'a' ? 0.8 : 0.5))),
    ).filter((changes) => changes.length > 0);
    expect(alarms.length).toBeLessThanOrEqual(2);
  });

  test('reward changes are found in rewards of any size too', () => {
    const random = createRandom(2);
    const priced = Array.from({ length: 300 }, (_, at) => ({
      category: '',
      target: 'a',
      reward: (at < 200 ? 0 : -40) + 10 * random.normal(),
    }));
    expect(rewardChanges(priced)[0]?.at).toBeGreaterThan(190);
    expect(rewardChanges(priced.slice(0, 200))).toEqual([]);
  });

  test('reward changes are none where one user alone says so, and some where many do', () => {
    const quiet = drawn(200, 6, () => 0.9).map((one, at) => ({ ...one, unit: `u:${at}` }));
    const loud = (unit: (at: number) => string) =>
      Array.from({ length: 30 }, (_, at) => ({
        category: '',
        target: 'a',
        reward: 0,
        unit: unit(at),
      }));
    expect(rewardChanges([...quiet, ...loud(() => 'u:loud')])).toEqual([]);
    expect(rewardChanges([...quiet, ...loud((at) => `v:${at}`)])).toHaveLength(1);
  });

  test('reward changes of one category are none of another', () => {
    const code = drawn(400, 3, (target, at) => (target === 'a' && at > 200 ? 0.1 : 0.9));
    const rewards = code.flatMap((one, at) => [
      { ...one, category: 'code' },
      { category: 'chat', target: 'a', reward: at % 2 },
    ]);
    expect(rewardChanges(rewards).map(({ category }) => category)).toEqual(['code']);
  });
});

describe('reward weights', () => {
  test('reward weights are the discount’s, nothing before a change, three of the others', () => {
    const rewards = drawn(100, 4, () => 0.5);
    expect(rewardWeights(rewards, 0.9, []).at(-1)).toBe(1);
    expect(rewardWeights(rewards, 0.9, []).at(-3)).toBeCloseTo(0.81, 12);
    const weights = rewardWeights(rewards, 1, [{ category: '', target: 'a', at: 60 }]);
    let others = 0;
    for (const [at, { target }] of rewards.entries()) {
      if (at >= 60) expect(weights[at]).toBe(1);
      else if (target === 'a') expect(weights[at]).toBe(0);
      else others += weights[at] as number;
    }
    expect(others).toBeCloseTo(3, 9);
  });
});

describe('capped by unit', () => {
  test('capped by unit keeps the newest of each unit and target, in their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('u', 'v'), fc.constantFrom('a', 'b')), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (list, max) => {
          const rewards = list.map(([unit, target], at) => ({ unit, target, at }));
          const kept = cappedByUnit(rewards, max);
          expect(kept.map(({ at }) => at)).toEqual(
            kept.map(({ at }) => at).sort((left, right) => left - right),
          );
          for (const one of rewards) {
            const same = rewards.filter(
              ({ unit, target }) => unit === one.unit && target === one.target,
            );
            const newest = same.slice(-max).includes(one);
            expect(kept.includes(one)).toBe(newest);
          }
        },
      ),
    );
  });
});

describe('prove routes', () => {
  const table = { targets: ['a', 'b'], by: { '': [0.7, 0.3] } };
  const rewards = drawn(900, 5, (target) => (target === 'a' ? 0.8 : 0.5));

  test('prove routes says who is best, and leaves the table alone unless told to exploit', () => {
    const told = proveRoutes(rewards, table, { delta: 0.05, on_proven: 'report' }, 0.02);
    const [proof] = told.proven;
    expect(proof).toMatchObject({ category: '', target: 'a', exploited: false, alpha: 0.05 });
    expect(proof?.mean).toBeCloseTo(0.8, 1);
    expect(proof?.next.target).toBe('b');
    expect((proof?.units ?? 0) + (proof?.next.units ?? 0)).toBe(900);
    expect(proof?.next.e).toBeGreaterThan(1000);
    const [low = 0, high = 0] = proof?.next.interval ?? [];
    expect(low).toBeGreaterThan(0.1);
    expect(high).toBeLessThan(0.5);
    expect(told.table).toEqual(table);
    const used = proveRoutes(rewards, table, { delta: 0.05, on_proven: 'exploit' }, 0.02);
    expect(used.table.by['']).toEqual([0.98, 0.02]);
    const few = proveRoutes(
      rewards.slice(0, 30),
      table,
      { delta: 0.05, on_proven: 'exploit' },
      0.1,
    );
    expect(few).toEqual({ table, proven: [] });
  });

  test('prove routes does not exploit what the newest rewards speak against', () => {
    const against = { ...table, by: { '': [0.2, 0.8] } };
    const { proven } = proveRoutes(rewards, against, { delta: 0.05, on_proven: 'exploit' }, 0.02);
    expect(proven).toMatchObject([{ category: '', target: 'a', exploited: false }]);
  });

  test('prove routes is wrong in at most 5 % of trials of equal targets, looked at always', () => {
    const wrong = Array.from({ length: 150 }, (_, seed) => {
      const equal = drawn(1200, 1000 + seed, () => 0.5);
      return Array.from({ length: 60 }, (_, look) => equal.slice(0, 20 * (look + 1))).some(
        (seen) =>
          proveRoutes(seen, table, { delta: 0.05, on_proven: 'report' }, 0.02).proven.length > 0,
      );
    }).filter(Boolean).length;
    expect(wrong).toBeLessThanOrEqual(12);
  });

  test('since changes leaves what was before out, by category', () => {
    const list = [
      { category: 'x', target: 'a', reward: 1 },
      { category: 'y', target: 'a', reward: 1 },
      { category: 'x', target: 'a', reward: 0 },
    ];
    expect(sinceChanges(list, [{ category: 'x', at: 2 }])).toEqual(list.slice(1));
  });
});
