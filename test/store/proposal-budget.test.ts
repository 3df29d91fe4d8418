import { describe, expect, test } from 'vitest';
import {
  forgetSpent,
  NOTHING_SPENT,
  reserve,
  settle,
  spentOn,
} from '../../src/store/proposal-budget.ts';
import { describeStores } from '../kit/store-suite.ts';

describeStores('the budget', ({ store }) => {
  const budget = { calls: 10, tokens: 1000, usd: 1 };
  const call = { tokens: 50, usd: 0.01 };

  describe('reserve', () => {
    test('reserve lets no more through than the budget has, however many ask at once', async () => {
      const asked = Array.from({ length: 50 }, () => reserve(store.db, 'd', call, budget));
      const let_through = (await Promise.all(asked)).filter((one) => one !== null);
      expect(let_through).toHaveLength(10);
      expect(await spentOn(store.db, 'd')).toEqual({ calls: 10, tokens: 500, usd: 0.1 });
    });

    test.each([
      ['tokens', { ...call, tokens: 400 }, 2],
      ['USD', { ...call, usd: 0.4 }, 2],
      ['tokens of one call', { ...call, tokens: 1001 }, 0],
      ['USD of one call', { ...call, usd: 1.1 }, 0],
    ])('reserve stops at the %s', async (_what, one, times) => {
      const answers = [];
      for (let n = 0; n < 4; n += 1) answers.push(await reserve(store.db, 'd', one, budget));
      expect(answers.filter((answer) => answer !== null)).toHaveLength(times);
    });

    test('reserve begins anew each period, and needs no bound in USD', async () => {
      const { usd: _none, ...free } = budget;
      expect(await reserve(store.db, 'a', { tokens: 1, usd: 99 }, free)).not.toBeNull();
      expect(await reserve(store.db, 'b', call, budget)).toEqual({ calls: 1, ...call });
      expect(await spentOn(store.db, 'c')).toEqual(NOTHING_SPENT);
    });

    test('settle puts what was taken in the place of what was set aside', async () => {
      await reserve(store.db, 'd', call, budget);
      await reserve(store.db, 'd', call, budget);
      await settle(store.db, 'd', call, { tokens: 7, usd: 0.002 });
      const { calls, tokens, usd } = await spentOn(store.db, 'd');
      expect([calls, tokens]).toEqual([2, 57]);
      expect(usd).toBeCloseTo(0.012);
    });

    test('forgetSpent deletes older periods of one kind, and no others', async () => {
      for (const period of ['f 1', 'f 2', 'f 3', 'a'])
        await reserve(store.db, period, call, budget);
      await forgetSpent(store.db, 'f ', 'f 3');
      const left = await Promise.all(['f 1', 'f 2', 'f 3', 'a'].map((p) => spentOn(store.db, p)));
      expect(left.map(({ calls }) => calls)).toEqual([0, 0, 1, 1]);
    });
  });
});
