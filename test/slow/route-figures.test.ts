import { describe, expect, test } from 'vitest';
import { ROUTE_BANDIT } from '../../src/core/routing/route-belief.ts';
import { runWorld } from '../core/routing/route-world.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const settings = { ...ROUTE_BANDIT, draws: 2000 };
const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
/**
 * Calls that an A/B of a size planned ahead takes, at 5 % on two sides and 90 % power: it is read
 * when the last feedback is there, an hour after the last call (1,000 calls). `gap` is the one that
 * it is planned for; the variances are known to it.
 */
function plannedCalls(gap: number): number {
  const each = ((1.96 + 1.2816) ** 2 * (0.8 * 0.2 + 0.5 * 0.5)) / gap ** 2;
  return 2 * Math.ceil(each) + 1000;
}

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
      expect(Math.max(...recovered)).toBeLessThan(2000);
    });
  }

  test('two targets are proven sooner than by an A/B of planned size, not by who is asked', () => {
    const callsOf = (how: typeof settings | 'uniform'): number =>
      mean(
        SEEDS.map((seed) => {
          const world = { arms: 2, calls: 20_000, drift: false, seed, settings: how } as const;
          return runWorld(world).proven ?? 20_000;
        }),
      );
    const uniform = callsOf('uniform');
    const topTwo = callsOf({ ...settings, discount: 1, rule: 'top-two' } as typeof settings);
    // Uniform's variance of the gap over the best split's (shares as the deviations): 1.2 % more.
    const [good, bad] = [Math.sqrt(0.8 * 0.2), Math.sqrt(0.5 * 0.5)];
    const most = 1 - (good + bad) ** 2 / (2 * (good ** 2 + bad ** 2));
    const planned = plannedCalls(0.3);
    console.info({ arms: 2, uniform, topTwo, most, planned, unsure: plannedCalls(0.15) });
    expect(most).toBeLessThan(0.013);
    expect(topTwo).toBeLessThanOrEqual(0.63 * planned);
  });

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
