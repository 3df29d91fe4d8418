import { expect, test } from 'vitest';
import { CUSUM_DEFAULTS } from '../../src/core/series/cusum.ts';
import { cusumArl } from '../../src/core/series/cusum-arl.ts';
import { meanRunLength } from '../core/series/run-length.ts';

const RUNS = 60_000;
const seed = Number(process.env.SEED ?? 20_261);

test.each([
  [0, 465.4],
  [1, 10.38],
])('cusum of 60,000 runs at a shift of %s σ is within 2 %% of %s', (shift, target) => {
  const { mean, error } = meanRunLength(RUNS, shift, seed + shift);
  const exact = cusumArl(shift, CUSUM_DEFAULTS.k, CUSUM_DEFAULTS.h);
  console.log(`shift ${shift}: simulated ${mean.toFixed(3)} ± ${error.toFixed(3)}, exact ${exact}`);
  expect(Math.abs(exact / target - 1)).toBeLessThan(0.002);
  expect(Math.abs(mean / target - 1)).toBeLessThan(0.02);
});
