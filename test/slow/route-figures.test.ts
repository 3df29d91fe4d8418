import { describe, expect, test } from 'vitest';
import { ROUTE_BANDIT } from '../../src/core/routing/route-belief.ts';
import { runWorld } from '../core/routing/route-world.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const settings = { ...ROUTE_BANDIT, draws: 2000 };
const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] as number;

/** The figures of docs/routing.md. */
describe('route figures', () => {
  for (const arms of [2, 4, 8]) {
    test(`Thompson among ${arms} targets costs at most 0.35 of uniform and recovers`, () => {
      const runs = SEEDS.map((seed) =>
        runWorld({ arms, calls: 20_000, drift: true, seed, settings }),
      );
      const ratio = mean(runs.map((run) => run.regret / run.uniform_regret));
      const recovered = runs.map((run) => run.recovered ?? Number.POSITIVE_INFINITY);
      console.info({ arms, ratio, recovered });
      expect(ratio).toBeLessThanOrEqual(0.35);
      expect(median(recovered)).toBeLessThan(2000);
    });
  }

  for (const arms of [4, 8]) {
    test(`top-two among ${arms} targets proves the best in 37 % less time than uniform`, () => {
      const callsOf = (how: typeof settings | 'uniform'): number =>
        mean(
          SEEDS.map((seed) => {
            const world = { arms, calls: 20_000, drift: false, seed, settings: how } as const;
            return runWorld(world).proven ?? 20_000;
          }),
        );
      const uniform = callsOf('uniform');
      const topTwo = callsOf({ ...settings, discount: 1, rule: 'top-two' } as typeof settings);
      console.info({ arms, uniform, topTwo, saved: 1 - topTwo / uniform });
      expect(topTwo).toBeLessThanOrEqual(0.63 * uniform);
    });
  }
});
